//! Seeded randomness (SplitMix64) for the network's faults.

pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `high`, both included.
    pub fn up_to(&mut self, high: u64) -> u64 {
        self.next() % (high + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.up_to(99) < percent
    }
}
