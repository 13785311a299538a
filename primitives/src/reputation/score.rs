//! The score.

use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A reputation from 0 to 100; nothing else decodes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Score(u8);

/// A number above 100 is no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScore(u8);

impl fmt::Display for InvalidScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a score is between 0 and 100, not {}", self.0)
    }
}

impl Score {
    /// Of somebody nobody knows.
    pub const ZERO: Self = Self(0);
    /// The best.
    pub const MAX: Self = Self(100);

    /// A score, or 100 where `value` is more.
    pub const fn saturating(value: u64) -> Self {
        // Below 101, so nothing is cut off.
        #[allow(clippy::cast_possible_truncation)]
        Self(if value > 100 { 100 } else { value as u8 })
    }

    /// As a number from 0 to 100.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Score {
    type Error = InvalidScore;

    fn try_from(value: u8) -> Result<Self, InvalidScore> {
        if value > Self::MAX.0 {
            return Err(InvalidScore(value));
        }
        Ok(Self(value))
    }
}

impl From<Score> for u8 {
    fn from(score: Score) -> Self {
        score.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Decode for Score {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        Self::try_from(u8::decode(input)?).map_err(|_| "a score above 100".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_above_100_becomes_a_score() {
        assert_eq!(Score::try_from(100), Ok(Score::MAX));
        assert_eq!(
            Score::try_from(101).map_err(|e| e.to_string()),
            Err("a score is between 0 and 100, not 101".into())
        );
        assert!(Score::decode(&mut &[101][..]).is_err());
        assert_eq!(Score::decode(&mut &[70][..]).map(Score::get), Ok(70));
        assert_eq!(Score::saturating(1 << 40), Score::MAX);
    }
}
