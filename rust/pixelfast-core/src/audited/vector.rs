//! Running code that is compiled once more for processors with wider registers.

/// Work whose `run`, and whatever it calls, is `#[inline(always)]`: so it is compiled anew for the caller's processor.
pub(crate) trait Work {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs `work` with AVX2 and BMI2 where this machine has them; the result is the same without.
pub(crate) fn vectorised<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("bmi2") {
        #[target_feature(enable = "avx2,bmi2")]
        fn run<W: Work>(work: W) -> W::Output {
            work.run()
        }
        // SAFETY: the machine has just said that it has both.
        return unsafe { run(work) };
    }
    work.run()
}
