//! Running code that is compiled once more for processors with wider registers: one call, and its only unsafe line.
#![deny(unsafe_code)]

/// Work whose `run`, and whatever it calls, is `#[inline(always)]`: so it is compiled anew for the caller's processor.
pub trait Work {
    /// What comes out.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

/// Runs `work` with AVX2, BMI2 and FMA where this machine has them; the result is the same without.
///
/// # Examples
/// ```
/// struct Doubled([i32; 8]);
///
/// impl pixelfast_vector::Work for Doubled {
///     type Output = [i32; 8];
///
///     #[inline(always)]
///     fn run(self) -> [i32; 8] {
///         self.0.map(|number| 2 * number)
///     }
/// }
///
/// assert_eq!(pixelfast_vector::vectorised(Doubled([3; 8])), [6; 8]);
/// ```
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls what is compiled for other processors"))]
pub fn vectorised<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if fuses() {
        #[target_feature(enable = "avx2,bmi2,fma")]
        fn run<W: Work>(work: W) -> W::Output {
            work.run()
        }
        // SAFETY: the machine has just said that it has all three.
        return unsafe { run(work) };
    }
    work.run()
}

/// Whether [`f32::mul_add`] is one instruction in what [`vectorised`] runs; elsewhere it is a slow call.
#[must_use]
pub fn fuses() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}
