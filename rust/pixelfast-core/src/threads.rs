//! One rayon pool for each thread count that was asked for, kept for the life of the process.
//!
//! A forked process (PyTorch's data loaders, multiprocessing) has its parent's memory but none of its threads, so it
//! gets pools of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

/// By process and number of threads.
type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;

static POOLS: OnceLock<Mutex<Pools>> = OnceLock::new();

/// The pool of `threads` workers; `None` means the cores that this process may use.
///
/// # Errors
/// [`Error::Value`] for zero threads or where the system gives no more.
pub fn pool(threads: Option<usize>) -> Result<Arc<ThreadPool>> {
    let count = match threads {
        Some(0) => return Err(Error::Value("threads must be at least 1, not 0".into())),
        Some(count) => count,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut pools = POOLS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let key = (std::process::id(), count);
    if let Some(pool) = pools.get(&key) {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|index| format!("pixelfast-{index}"))
        .build()
        .map_err(|error| Error::Value(format!("cannot start {count} threads: {error}")))?;
    let pool = Arc::new(pool);
    pools.insert(key, Arc::clone(&pool));
    Ok(pool)
}
