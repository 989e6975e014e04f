//! Numbers that are the same for the same seed.

/// A generator of the xorshift family.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator. Zero, with which it would stand still, counts as one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a limit, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() >> 16).unwrap_or_default() % limit.max(1)
    }
}
