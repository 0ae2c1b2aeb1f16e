//! A flag that lets a long computation end early.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

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
