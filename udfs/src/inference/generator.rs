//! Random numbers that depend on nothing but a seed.
//!
//! SplitMix64 (Steele, Lea and Flood 2014): a counter through a mixing function, so every seed is good.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    state: u64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// Uniform on 0..1, never 0 or 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Uniform on `0..bound`; 0 for a `bound` of 0. The bias is below `bound` / 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Standard normal, through the quantile function.
    pub(crate) fn normal(&mut self) -> f64 {
        crate::normal::quantile(self.uniform())
    }
}

/// A bijection of 64 bits that leaves no trace of order in its output.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
