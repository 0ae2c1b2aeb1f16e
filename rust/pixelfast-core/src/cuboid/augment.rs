//! Training augmentation: noise and flips that depend on nothing but the seed, the sample, the frame and the pixel.

use crate::{Error, Result};

/// What is turned upside down together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// Each frame on its own (the source method).
    Frame,
    /// The whole cuboid.
    Cuboid,
}

impl std::str::FromStr for Flip {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "frame" => Ok(Self::Frame),
            "cuboid" => Ok(Self::Cuboid),
            other => Err(Error::Value(format!("flip must be \"frame\" or \"cuboid\", not {other:?}"))),
        }
    }
}

/// Settings of the augmentation, and the name of each sample.
#[derive(Clone, Copy, Debug)]
pub struct Augment<'a> {
    /// A number for each cuboid that no other one has, say epoch * windows + window.
    pub samples: &'a [i64],
    /// The run's seed.
    pub seed: u64,
    /// Share of frames that get noise.
    pub noise_probability: f64,
    /// The noise is uniform between minus and plus this, in units of the full range.
    pub noise_amplitude: f32,
    /// Share of frames or cuboids that are turned upside down.
    pub flip_probability: f64,
    /// What is turned together.
    pub flip: Flip,
}

/// Numbers that decide about a frame, not about its pixels.
const DECISION: u32 = 1 << 31;
/// The number that decides about a whole cuboid.
const WHOLE: u32 = u32::MAX;

impl Augment<'_> {
    pub(super) fn check(&self, cuboids: usize) -> Result<()> {
        for (name, share) in
            [("noise_probability", self.noise_probability), ("flip_probability", self.flip_probability)]
        {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::Value(format!("{name} must lie between 0 and 1, not {share}")));
            }
        }
        if !(self.noise_amplitude >= 0.0 && self.noise_amplitude.is_finite()) {
            let amplitude = self.noise_amplitude;
            return Err(Error::Value(format!("noise_amplitude must be finite and not negative, not {amplitude}")));
        }
        if self.samples.len() != cuboids {
            let samples = self.samples.len();
            return Err(Error::Shape(format!(
                "samples must have one number for each of {cuboids} starts, not {samples}"
            )));
        }
        Ok(())
    }

    /// Adds noise and turns, in this order (METHOD, "Temporal autoencoder").
    pub(super) fn apply(&self, cuboid: usize, frame: usize, width: usize, out: &mut [f32], clean: Option<&mut [f32]>) {
        let sample = self.samples[cuboid] as u64;
        let [noise, flip, ..] = self.words(0, DECISION | frame as u32, sample);
        let turned = match self.flip {
            Flip::Frame => happens(flip, self.flip_probability),
            Flip::Cuboid => happens(self.words(0, WHOLE, sample)[0], self.flip_probability),
        };
        if let Some(clean) = clean {
            clean.copy_from_slice(out);
            turn_if(turned, clean, width);
        }
        if happens(noise, self.noise_probability) {
            self.add_noise(frame as u32, sample, out);
        }
        turn_if(turned, out, width);
    }

    fn words(&self, block: u32, stream: u32, sample: u64) -> [u32; 4] {
        philox([block, stream, sample as u32, (sample >> 32) as u32], self.seed)
    }

    /// Pixel p takes word p % 4 of block p / 4.
    fn add_noise(&self, frame: u32, sample: u64, out: &mut [f32]) {
        for (number, pixels) in out.chunks_mut(4 * LANES).enumerate() {
            let blocks = std::array::from_fn(|lane| (number * LANES + lane) as u32);
            let words = [blocks, [frame; LANES], [sample as u32; LANES], [(sample >> 32) as u32; LANES]];
            let words = philox_lanes(words, self.seed);
            for (place, pixel) in pixels.iter_mut().enumerate() {
                let noise = self.noise_amplitude * centred(words[place % 4][place / 4]);
                *pixel = (*pixel + noise).clamp(0.0, 1.0);
            }
        }
    }
}

/// Blocks of random words made side by side.
const LANES: usize = 16;

/// True for a `share` of all words: never for 0, always for 1.
fn happens(word: u32, share: f64) -> bool {
    f64::from(word) < share * 4_294_967_296.0
}

/// Uniform in [-1, 1), in steps of 2^-23.
#[inline]
fn centred(word: u32) -> f32 {
    (word >> 8) as f32 / 8_388_608.0 - 1.0
}

/// Turns a frame upside down in place.
fn turn_if(turned: bool, frame: &mut [f32], width: usize) {
    if !turned {
        return;
    }
    let rows = frame.len() / width;
    let (upper, lower) = frame.split_at_mut(rows / 2 * width);
    upper.chunks_exact_mut(width).zip(lower.chunks_exact_mut(width).rev()).for_each(|(a, b)| a.swap_with_slice(b));
}

// A counter-based generator: the n-th number costs no more than the first, so that any thread can make any part of a
// batch. Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011. Multipliers and key increments are the paper's.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Four random words for a counter under a key.
fn philox(counter: [u32; 4], key: u64) -> [u32; 4] {
    philox_lanes(counter.map(|word| [word]), key).map(|[word]| word)
}

/// The same for several counters side by side, in an order that vectorises: the words of all counters, one by one.
#[inline]
fn philox_lanes<const LANES: usize>(mut counters: [[u32; LANES]; 4], key: u64) -> [[u32; LANES]; 4] {
    let mut key = [key as u32, (key >> 32) as u32];
    for _ in 0..ROUNDS {
        let [a, b, c, d] = &mut counters;
        for lane in 0..LANES {
            let first = u64::from(MULTIPLIERS[0]) * u64::from(a[lane]);
            let second = u64::from(MULTIPLIERS[1]) * u64::from(c[lane]);
            a[lane] = (second >> 32) as u32 ^ b[lane] ^ key[0];
            b[lane] = second as u32;
            c[lane] = (first >> 32) as u32 ^ d[lane] ^ key[1];
            d[lane] = first as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::philox;

    /// The known answers of Random123, the authors' own library (kat_vectors, philox4x32 10).
    #[test]
    fn gives_the_known_answers() {
        assert_eq!(philox([0; 4], 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], u64::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(philox(pi, 0x299f_31d0_a409_3822), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }
}
