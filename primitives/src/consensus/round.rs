//! The GRANDPA round number that a precommit signs.

use core::fmt;

/// `epoch(u8) << 56 | height(u32) << 16 | round(u16)`; bits 48 to 55 are zero.
///
/// Height and round together make the number unique for an honest voter, the
/// epoch also should heights ever come again, so GRANDPA's "one precommit a round" is our
/// "one precommit a height and round".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrandpaRound {
    /// Recovery epoch: 0. A recovery from a fork of L1 brings the state back and no block
    /// (ADR 0033), so heights stay unique without it.
    pub epoch: u8,
    /// Block height.
    pub height: u32,
    /// Tendermint round.
    pub round: u16,
}

/// The number has bits set that must be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundError;

impl fmt::Display for RoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GRANDPA round number with reserved bits set")
    }
}

impl From<GrandpaRound> for u64 {
    fn from(round: GrandpaRound) -> u64 {
        u64::from(round.epoch) << 56 | u64::from(round.height) << 16 | u64::from(round.round)
    }
}

impl TryFrom<u64> for GrandpaRound {
    type Error = RoundError;

    fn try_from(number: u64) -> Result<Self, RoundError> {
        if number >> 48 & 0xff != 0 {
            return Err(RoundError);
        }
        Ok(Self {
            epoch: (number >> 56) as u8,
            height: (number >> 16) as u32,
            round: number as u16,
        })
    }
}
