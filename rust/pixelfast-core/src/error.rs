//! Every way in which the core can refuse, one variant a kind, and the flag that asks it to stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a core function returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the core refused; each message is a sentence that a user can act on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// An array has the wrong shape, or two arrays do not fit together.
    #[error("{0}")]
    Shape(String),
    /// A setting is out of its range, or a value is not finite.
    #[error("{0}")]
    Value(String),
    /// An image file cannot be used; `path` names it.
    #[error("{path}: {reason}")]
    Decode {
        /// The file.
        path: String,
        /// Why, as the end of a sentence.
        reason: String,
    },
    /// The caller asked to stop (Ctrl-C).
    #[error("interrupted")]
    Cancelled,
}

/// Set once by the caller, checked now and then (at least every few hundred milliseconds) by the work.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Asks the work to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// `Err(Error::Cancelled)` once [`Cancel::set`] was called.
    ///
    /// # Errors
    /// [`Error::Cancelled`] after a request to stop.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}
