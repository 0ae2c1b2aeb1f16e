//! Rayon pools, kept for the life of the process and lent to one call at a time.
//!
//! Calls that run side by side never share a pool: a short one would wait behind a long one for the same workers. A
//! forked process (PyTorch's data loaders, multiprocessing) has its parent's memory but none of its threads, so it gets
//! pools of its own.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

/// A process and a number of threads.
type Kind = (u32, usize);

/// The pools that no call is using.
static IDLE: LazyLock<Mutex<HashMap<Kind, Vec<ThreadPool>>>> = LazyLock::new(Mutex::default);

/// Lends a pool of `threads` workers to `work`; `None` means the cores that this process may use.
///
/// # Errors
/// [`Error::Value`] for zero threads or where the system gives no more.
pub fn with_pool<T>(threads: Option<usize>, work: impl FnOnce(&ThreadPool) -> T) -> Result<T> {
    let count = match threads {
        Some(0) => return Err(Error::Value("threads must be at least 1, not 0".into())),
        Some(count) => count,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let kind = (std::process::id(), count);
    let kept = idle().get_mut(&kind).and_then(Vec::pop);
    let pool = kept.map_or_else(|| build(count), Ok)?;
    let done = work(&pool);
    idle().entry(kind).or_default().push(pool);
    Ok(done)
}

fn build(count: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|index| format!("pixelfast-{index}"))
        .build()
        .map_err(|error| Error::Value(format!("cannot start {count} threads: {error}")))
}

fn idle() -> MutexGuard<'static, HashMap<Kind, Vec<ThreadPool>>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_lent_to_one_call_at_a_time_and_kept() {
        let kept = || idle().get(&(std::process::id(), 3)).map_or(0, Vec::len);
        let two = |first: &ThreadPool| with_pool(Some(3), |second| !std::ptr::eq(first, second)).unwrap();
        assert!(with_pool(Some(3), two).unwrap());
        assert_eq!(kept(), 2);
        assert_eq!(with_pool(Some(3), |_| kept()), Ok(1));
    }
}
