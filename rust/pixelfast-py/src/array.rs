//! NumPy arrays at the border: dtype, shape and layout are checked once, with a sentence that names the argument.

use numpy::{
    Element, PyArray, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray, PyReadwriteArray, PyUntypedArray,
    PyUntypedArrayMethods, ndarray::Dimension,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// What an argument is called and what it should look like, for the sentences.
#[derive(Clone, Copy)]
pub struct Argument {
    pub name: &'static str,
    /// As in the documentation: `[W, T, G, G]`.
    pub shape: &'static str,
}

impl Argument {
    pub const fn new(name: &'static str, shape: &'static str) -> Self {
        Self { name, shape }
    }

    /// A C-contiguous array to read.
    pub fn read<'py, T: Element, D: Dimension>(
        self,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<PyReadonlyArray<'py, T, D>> {
        let array = self.array::<T, D>(value)?;
        array.try_readonly().map_err(|_| PyValueError::new_err(format!("{} is being written to", self.name)))
    }

    /// A C-contiguous array to write.
    pub fn write<'py, T: Element, D: Dimension>(
        self,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<PyReadwriteArray<'py, T, D>> {
        let array = self.array::<T, D>(value)?;
        let refuse = |error| PyValueError::new_err(format!("{} cannot be written to: {error}", self.name));
        array.try_readwrite().map_err(refuse)
    }

    /// Whether the dtype is `T`; any number of dimensions.
    pub fn is<T: Element>(self, value: &Bound<'_, PyAny>) -> bool {
        let Ok(array) = value.cast::<PyUntypedArray>() else {
            return false;
        };
        array.dtype().is_equiv_to(&numpy::dtype::<T>(value.py()))
    }

    /// Refuses another shape than `wanted`, which other arguments ask for.
    pub fn require_shape<T: Element, D: Dimension>(
        self,
        array: &Bound<'_, PyArray<T, D>>,
        wanted: &[usize],
    ) -> PyResult<()> {
        if array.shape() == wanted {
            return Ok(());
        }
        let (name, shape, came) = (self.name, self.shape, array.shape());
        Err(PyValueError::new_err(format!("{name} must be {shape}, here {wanted:?}, not {came:?}")))
    }

    /// A `TypeError` that says what was expected and what came.
    pub fn wrong_type(self, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
        PyTypeError::new_err(self.sentence(expected, value))
    }

    /// A `ValueError` that says what was expected and what came.
    pub fn wrong_shape<T: Element>(self, value: &Bound<'_, PyAny>) -> PyErr {
        PyValueError::new_err(self.sentence(&dtype_name::<T>(value.py()), value))
    }

    fn array<'a, 'py, T: Element, D: Dimension>(
        self,
        value: &'a Bound<'py, PyAny>,
    ) -> PyResult<&'a Bound<'py, PyArray<T, D>>> {
        if !self.is::<T>(value) {
            return Err(self.wrong_type(&dtype_name::<T>(value.py()), value));
        }
        let array = value.cast::<PyArray<T, D>>().map_err(|_| self.wrong_shape::<T>(value))?;
        if array.is_c_contiguous() && (array.is_aligned() || array.is_empty()) {
            return Ok(array);
        }
        let name = self.name;
        Err(PyValueError::new_err(format!("{name} must be C-contiguous and aligned: use np.ascontiguousarray({name})")))
    }

    fn sentence(self, expected: &str, value: &Bound<'_, PyAny>) -> String {
        format!("{} must be {expected} {}, not {}", self.name, self.shape, describe(value))
    }
}

fn dtype_name<T: Element>(py: Python<'_>) -> String {
    numpy::dtype::<T>(py).to_string()
}

/// `float64 [3, 16]`, with a word on a layout that is not C's; or the name of a type that is no array.
pub fn describe(value: &Bound<'_, PyAny>) -> String {
    match value.cast::<PyUntypedArray>() {
        Ok(array) => {
            let layout = if array.is_c_contiguous() { "" } else { " (not contiguous)" };
            format!("{} {:?}{layout}", array.dtype(), array.shape())
        }
        Err(_) => value.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string()),
    }
}
