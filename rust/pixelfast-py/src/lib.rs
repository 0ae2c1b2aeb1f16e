//! `pixelfast._core`: the Rust core as a Python module. Bindings only.

mod aggregate;
mod array;
mod cuboid;
mod decode;
mod enter;
mod global;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    decode::register(module)?;
    cuboid::register(module)?;
    aggregate::register(module)?;
    global::register(module)?;
    Ok(())
}
