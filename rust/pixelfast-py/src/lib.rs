//! `pixelfast._core`: the Rust core as a Python module. Bindings only.

mod aggregate;
mod array;
mod cuboid;
mod decode;
mod density;
mod enter;
mod global;
mod pictures;
mod planes;

#[pyo3::pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::aggregate::{OverlapAggregator, pool};
    #[pymodule_export]
    use crate::cuboid::{assemble_cuboids, cuboid_errors, noise_sigma};
    #[pymodule_export]
    use crate::decode::{
        build_info, decode_frames, explain_frame, fingerprint_files, flip_jpeg, frame_size, laid_upright,
        resize_frames, sample_ranges,
    };
    #[pymodule_export]
    use crate::density::{Exemplars, farthest_first, look_blocks, motion_blocks, place_distances};
    #[pymodule_export]
    use crate::global::{normalise, rank, smooth};
    #[pymodule_export]
    use crate::pictures::{PictureReader, count_pictures};
    #[pymodule_export]
    use crate::planes::resize_planes;
}
