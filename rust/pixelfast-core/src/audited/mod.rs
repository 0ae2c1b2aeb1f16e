//! The only unsafe code of the core: calls of libjpeg-turbo that its safe crate lacks, and of code for newer processors.
#![allow(unsafe_code)]

mod turbo;
mod vector;

pub(crate) use turbo::{Header, Jpeg, Pixels};
pub(crate) use vector::{Work, vectorised};
