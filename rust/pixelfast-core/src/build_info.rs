//! How this library was built; `build.rs` found it out.

/// Facts of the build, in the order in which they are shown.
#[must_use]
pub fn build_info() -> [(&'static str, &'static str); 4] {
    [
        ("simd", env!("PIXELFAST_SIMD")),
        ("libjpeg_turbo", env!("PIXELFAST_LIBJPEG_TURBO")),
        ("profile", if cfg!(debug_assertions) { "debug" } else { "release" }),
        ("nasm", env!("PIXELFAST_NASM")),
    ]
}
