//! The data path of pixelfast, without Python: frames in, ranked scores out.
#![deny(unsafe_code)]

pub mod aggregate;
mod audited;
pub mod build_info;
pub mod cancel;
pub mod cuboid;
pub mod decode;
pub mod error;
pub mod fingerprint;
pub mod noise;
pub mod normalise;
mod philox;
pub mod pool;
pub mod rank;
pub mod real;
pub mod smooth;
pub mod threads;

pub use cancel::Cancel;
pub use error::{Error, Result};
