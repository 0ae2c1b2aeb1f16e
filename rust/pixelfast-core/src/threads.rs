//! Rayon pools, kept for the life of the process and lent to one call at a time.
//!
//! Calls that run side by side never share a pool: a short one would wait behind a long one for the same workers. A
//! forked process (PyTorch's data loaders, multiprocessing) has its parent's memory but none of its threads, so it gets
//! pools of its own.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

/// A process and a number of threads.
type Kind = (u32, usize);

/// The pools that no call is using.
static IDLE: OnceLock<Mutex<HashMap<Kind, Vec<ThreadPool>>>> = OnceLock::new();

/// A pool that belongs to one call until it is dropped.
pub struct Lease {
    kind: Kind,
    pool: Option<ThreadPool>,
}

/// Lends a pool of `threads` workers; `None` means the cores that this process may use.
///
/// # Errors
/// [`Error::Value`] for zero threads or where the system gives no more.
pub fn pool(threads: Option<usize>) -> Result<Lease> {
    let count = match threads {
        Some(0) => return Err(Error::Value("threads must be at least 1, not 0".into())),
        Some(count) => count,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let kind = (std::process::id(), count);
    let idle = idle().get_mut(&kind).and_then(Vec::pop);
    let pool = match idle {
        Some(pool) => pool,
        None => build(count)?,
    };
    Ok(Lease { kind, pool: Some(pool) })
}

fn build(count: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|index| format!("pixelfast-{index}"))
        .build()
        .map_err(|error| Error::Value(format!("cannot start {count} threads: {error}")))
}

fn idle() -> MutexGuard<'static, HashMap<Kind, Vec<ThreadPool>>> {
    IDLE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deref for Lease {
    type Target = ThreadPool;

    fn deref(&self) -> &ThreadPool {
        self.pool.as_ref().expect("a lease holds its pool until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            idle().entry(self.kind).or_default().push(pool);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_lent_to_one_call_at_a_time_and_kept() {
        let first = pool(Some(3)).unwrap();
        let second = pool(Some(3)).unwrap();
        assert!(!std::ptr::eq(&*first, &*second));
        drop(first);
        drop(second);
        let kept = idle().get(&(std::process::id(), 3)).map_or(0, Vec::len);
        assert_eq!(kept, 2);
        let _again = pool(Some(3)).unwrap();
        assert_eq!(idle().get(&(std::process::id(), 3)).map_or(0, Vec::len), 1);
    }
}
