//! The one way into the core: GIL released, Ctrl-C alive, every error mapped.

use std::sync::mpsc;
use std::time::Duration;

use numpy::ndarray::IntoDimension;
use numpy::{Element, PyArray, PyArrayMethods};
use pixelfast_core::{Cancel, Error, Result, threads};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;

const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs `work` in the pool of `threads` with the GIL released; a signal cancels it.
pub fn enter_core<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce(&Cancel) -> Result<T> + Send,
) -> PyResult<T> {
    let cancel = &Cancel::default();
    let lent = py.detach(|| {
        let (sender, receiver) = mpsc::channel();
        threads::with_pool(threads, |pool| {
            pool.in_place_scope(|scope| {
                scope.spawn(move |_| {
                    let _ = sender.send(work(cancel));
                });
                wait(&receiver, cancel)
            })
        })
    });
    let (outcome, signal) = lent.map_err(to_python)?;
    match (signal, outcome) {
        (Some(error), _) => Err(error),
        (None, Some(outcome)) => outcome.map_err(to_python),
        (None, None) => Err(PyKeyboardInterrupt::new_err("interrupted")),
    }
}

/// A new array of this shape, which `work` writes.
pub fn fill<'py, T: Element + Send, I: IntoDimension>(
    py: Python<'py>,
    threads: Option<usize>,
    shape: I,
    work: impl FnOnce(&mut [T], &Cancel) -> Result<()> + Send,
) -> PyResult<Bound<'py, PyArray<T, I::Dim>>> {
    let array = PyArray::zeros(py, shape, false);
    let mut out = array.readwrite();
    let values = out.as_slice_mut()?;
    enter_core(py, threads, |cancel| work(values, cancel))?;
    drop(out);
    Ok(array)
}

/// Runs work of a few milliseconds in the caller's thread with the GIL released: handing it over would take longer.
pub fn enter_briefly<T: Send>(py: Python<'_>, work: impl FnOnce(&Cancel) -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| work(&Cancel::default())).map_err(to_python)
}

/// Waits for the result, looking for signals; after one, the work is cancelled and waited for.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method does not hold for any lifetime")]
fn wait<T>(receiver: &mpsc::Receiver<Result<T>>, cancel: &Cancel) -> (Option<Result<T>>, Option<PyErr>) {
    loop {
        match receiver.recv_timeout(SIGNAL_INTERVAL) {
            Ok(outcome) => return (Some(outcome), None),
            Err(mpsc::RecvTimeoutError::Disconnected) => return (None, None),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Err(error) = Python::attach(|py| py.check_signals()) {
                    cancel.set();
                    return (receiver.recv().ok(), Some(error));
                }
            }
        }
    }
}

/// The Python exception of each core error.
pub fn to_python(error: Error) -> PyErr {
    match error {
        Error::Shape(_) | Error::Value(_) | Error::Decode { .. } => PyValueError::new_err(error.to_string()),
        Error::Cancelled => PyKeyboardInterrupt::new_err(error.to_string()),
    }
}
