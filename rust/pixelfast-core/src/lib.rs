//! The data path of pixelfast, without Python: frames in, ranked scores out.
#![deny(unsafe_code)]

pub mod aggregate;
mod audited;
pub mod cuboid;
pub mod decode;
pub mod density;
mod error;
pub mod fingerprint;
pub mod noise;
pub mod normalise;
pub mod pool;
pub mod rank;
pub mod real;
pub mod smooth;
pub mod threads;

pub use error::{Cancel, Error, Result};

/// How this library was built, as `build.rs` found out: facts in the order in which they are shown.
#[must_use]
pub fn build_info() -> [(&'static str, &'static str); 4] {
    [
        ("simd", env!("PIXELFAST_SIMD")),
        ("libjpeg_turbo", env!("PIXELFAST_LIBJPEG_TURBO")),
        ("profile", if cfg!(debug_assertions) { "debug" } else { "release" }),
        ("nasm", env!("PIXELFAST_NASM")),
    ]
}
