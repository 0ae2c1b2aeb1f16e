//! Reads off the headers of the libjpeg-turbo that was built how it was built, for `build_info`.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TURBOJPEG_INCLUDE");
    let config = config_header();
    let simd = config.lines().any(|line| line.starts_with("#define WITH_SIMD"));
    println!("cargo:rustc-env=PIXELFAST_SIMD={}", if simd { "yes" } else { "no" });
    println!("cargo:rustc-env=PIXELFAST_LIBJPEG_TURBO={}", version(&config));
    println!("cargo:rustc-env=PIXELFAST_NASM={}", if simd { assembler() } else { String::new() });
}

/// libjpeg-turbo's jconfig.h: it defines `WITH_SIMD` only if the assembler was found and used.
fn config_header() -> String {
    let folders = env::var("DEP_TURBOJPEG_INCLUDE").unwrap_or_default();
    folders
        .split(',')
        .find_map(|folder| fs::read_to_string(Path::new(folder).join("jconfig.h")).ok())
        .unwrap_or_default()
}

fn version(config: &str) -> &str {
    config.lines().find_map(|line| line.strip_prefix("#define LIBJPEG_TURBO_VERSION ")).map_or("unknown", str::trim)
}

/// Which assembler CMake took: it remembers it in the cache of the build folder, beside `include`.
fn assembler() -> String {
    let folders = env::var("DEP_TURBOJPEG_INCLUDE").unwrap_or_default();
    let cache = Path::new(&folders).with_file_name("build").join("CMakeCache.txt");
    let cache = fs::read_to_string(cache).unwrap_or_default();
    cache
        .lines()
        .find_map(|line| line.strip_prefix("CMAKE_ASM_NASM_COMPILER:"))
        .and_then(|line| line.split_once('='))
        .map_or(String::new(), |(_, path)| path.to_string())
}
