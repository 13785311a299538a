//! The web of trust: how far people whom the chain's *seeds* trust, trust somebody.
//!
//! L1's own figure depends on who looks and on random samples (spec: cascoin-l1.md 5.2),
//! so this is a rule of our own with L1's weights. Nobody looks but the seeds, a fixed
//! set that governance names.
//!
//! - **Trust** is passed on along edges of a weight of at least 10, each of which leaves
//!   its weight in hundredths of it, over at most three edges (L1's depth). An address
//!   has the trust of the *best* path to it: many paths give no more than one, so nobody
//!   gains by making up friends.
//! - **Cliques** (R10.5): where two praise each other and neither is a seed, what they
//!   say of each other counts three tenths, which is L1's factor for clusters. L1 takes
//!   it from all of an address's score when nine tenths of its edges are mutual; here
//!   each mutual pair loses it, which no single edge from elsewhere makes up for.
//! - **Objections**: the score is the trust times the share that approval has in approval
//!   and objection. Each of the two is the weightiest one said, by its weight and its
//!   speaker's trust: in a sum, who has trust could multiply its word by passing it on
//!   to addresses of its own.
//!
//! Three edges of whole hundredths, with three tenths each, are exact in billionths:
//! nothing is rounded but the score itself.

use super::Score;
use crate::l1::cvm::TrustKind;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// All trust there is: that of a seed.
pub const FULL: u32 = 1_000_000_000;
/// Most edges of a path.
pub const DEPTH: usize = 3;
/// Edges of less weight pass no trust on.
pub const MIN_EDGE: i8 = 10;

/// Thousandths of a point of weight, and what is left of it between friends.
const POINT: u64 = 10;
const MUTUAL_POINT: u64 = 3;

/// The trust of an address by the number of edges from a seed, each up to [`FULL`].
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Levels(pub [u32; DEPTH + 1]);

impl Levels {
    /// Of the best path.
    pub fn trust(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// What its word weighs: the trust that can be passed on.
    pub fn voice(&self) -> u32 {
        self.passed_on().into_iter().max().unwrap_or(0)
    }

    /// The part of it that matters to others. In order it ranks speakers: whom a seed
    /// trusts more at first hand comes first, whatever those say that others trust.
    pub fn passed_on(&self) -> [u32; DEPTH] {
        let [passed_on @ .., _] = self.0;
        passed_on
    }

    fn is_seed(&self) -> bool {
        self.0.first().is_some_and(|trust| *trust > 0)
    }
}

/// What somebody says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Edge or vote.
    pub kind: TrustKind,
    /// From −100 to 100.
    pub weight: i8,
    /// Whether the address has something good to say of the speaker, too.
    pub mutual: bool,
    /// The speaker's own trust.
    pub speaker: Levels,
}

impl Opinion {
    /// Thousandths of the speaker's trust for each point of its weight.
    fn point(&self, of_a_seed: bool) -> u64 {
        let clique = self.mutual && !of_a_seed && !self.speaker.is_seed();
        match clique && self.weight > 0 {
            true => MUTUAL_POINT,
            false => POINT,
        }
    }
}

/// Trust of an address with `opinions` about it.
pub fn levels(is_seed: bool, opinions: &[Opinion]) -> Levels {
    let mut levels = Levels::default();
    if is_seed {
        levels.0[0] = FULL;
    }
    for opinion in opinions {
        if opinion.kind != TrustKind::Edge || opinion.weight < MIN_EDGE {
            continue;
        }
        let weight = u64::from(opinion.weight.unsigned_abs());
        let weight = weight.saturating_mul(opinion.point(is_seed));
        for length in 1..=DEPTH {
            let passed = u64::from(opinion.speaker.0[length - 1]).saturating_mul(weight) / 1_000;
            let passed = u32::try_from(passed).unwrap_or(FULL).min(FULL);
            levels.0[length] = levels.0[length].max(passed);
        }
    }
    levels
}

/// The web-of-trust score of an address with `opinions` about it.
pub fn score(levels: &Levels, opinions: &[Opinion]) -> Score {
    let (mut approval, mut objection) = (0u128, 0u128);
    for opinion in opinions {
        let said = u128::from(opinion.speaker.voice())
            .saturating_mul(opinion.weight.unsigned_abs().into())
            .saturating_mul(opinion.point(levels.is_seed()).into());
        let side = if opinion.weight > 0 { &mut approval } else { &mut objection };
        *side = said.max(*side);
    }
    // Without an objection all of it counts, also a seed's, of whom nobody speaks.
    let (share, all) =
        if objection == 0 { (1, 1) } else { (approval, approval.saturating_add(objection)) };
    let points = u128::from(levels.trust()).saturating_mul(100).saturating_mul(share)
        / u128::from(FULL).saturating_mul(all);
    Score::saturating(u64::try_from(points).unwrap_or(u64::MAX))
}

/// The bond that a statement of `weight` needs, in base units: a coin, and a hundredth
/// for each point (spec: cascoin-l1.md 2.2, 5.3).
pub fn required_bond(weight: i8, decimals: u8) -> u64 {
    let coin = 10u128.saturating_pow(decimals.into());
    let hundredths = u128::from(weight.unsigned_abs()).saturating_add(100);
    u64::try_from(coin.saturating_mul(hundredths) / 100).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Levels = Levels([FULL, 0, 0, 0]);

    fn opinion(kind: TrustKind, weight: i8, speaker: Levels) -> Opinion {
        Opinion { kind, weight, mutual: false, speaker }
    }

    fn edge(weight: i8, speaker: Levels) -> Opinion {
        opinion(TrustKind::Edge, weight, speaker)
    }

    #[test]
    fn trust_fades_with_each_edge_and_ends_after_three() {
        let mut at = SEED;
        let mut seen = vec![];
        for _ in 0..4 {
            let heard = [edge(50, at)];
            at = levels(false, &heard);
            seen.push(score(&at, &heard).get());
        }
        // 12.5 is rounded down; the fourth is too far away.
        assert_eq!(seen, [50, 25, 12, 0]);
    }

    #[test]
    fn the_best_path_counts_and_not_their_number() {
        let heard = [edge(60, SEED), edge(60, SEED), edge(80, Levels([0, FULL / 2, 0, 0]))];
        assert_eq!(score(&levels(false, &heard), &heard).get(), 60);
        // Votes and weak edges pass nothing on.
        for nothing in [edge(9, SEED), opinion(TrustKind::Vote, 100, SEED), edge(-100, SEED)] {
            assert_eq!(levels(false, &[nothing]), Levels::default());
        }
    }

    #[test]
    fn r10_5_praise_for_praise_counts_three_tenths() {
        let friend = Levels([0, FULL, 0, 0]);
        let heard = [Opinion { mutual: true, ..edge(100, friend) }];
        assert_eq!(score(&levels(false, &heard), &heard).get(), 30);
        // A seed is in no clique, neither as who praises nor as who is praised.
        let heard = [Opinion { mutual: true, ..edge(100, SEED) }];
        assert_eq!(score(&levels(false, &heard), &heard).get(), 100);
        let against = opinion(TrustKind::Vote, -100, friend);
        let heard = [Opinion { mutual: true, ..edge(100, friend) }, against];
        assert_eq!(levels(true, &heard), Levels([FULL, 0, FULL, 0]));
        assert_eq!(score(&levels(true, &heard), &heard).get(), 50);
    }

    #[test]
    fn objections_take_their_share_by_the_trust_behind_them() {
        let against = |speaker| opinion(TrustKind::Vote, -100, speaker);
        let of = |heard: &[Opinion]| score(&levels(false, heard), heard).get();
        assert_eq!(of(&[edge(100, SEED), against(SEED)]), 50);
        assert_eq!(of(&[edge(100, SEED), against(Levels([0, FULL / 2, 0, 0]))]), 66);
        // Of strangers, and of those whom trust reaches with its last edge: nothing.
        assert_eq!(of(&[edge(100, SEED), against(Levels::default())]), 100);
        assert_eq!(of(&[edge(100, SEED), against(Levels([0, 0, 0, FULL]))]), 100);
        // The weightiest counts on either side, and not their number.
        let half = against(Levels([0, FULL / 2, 0, 0]));
        assert_eq!(of(&[edge(100, SEED), half, half, half]), 66);
        let praise = opinion(TrustKind::Vote, 100, SEED);
        assert_eq!(of(&[edge(100, SEED), praise, against(SEED), half]), 50);
        // A vote for it can be weightier than the edge over which it is trusted.
        assert_eq!(of(&[edge(50, SEED), against(SEED)]), 16);
        assert_eq!(of(&[edge(50, SEED), praise, against(SEED)]), 25);
        // A seed can be objected to as well.
        let heard = [against(SEED)];
        assert_eq!(score(&levels(true, &heard), &heard).get(), 0);
        assert_eq!(score(&levels(true, &[]), &[]).get(), 100);
    }

    #[test]
    fn bonds_are_a_coin_and_a_hundredth_for_each_point() {
        assert_eq!(required_bond(0, 7), 10_000_000);
        assert_eq!(required_bond(-1, 7), 10_100_000);
        assert_eq!(required_bond(100, 8), 200_000_000);
        assert_eq!(required_bond(i8::MIN, 255), u64::MAX);
    }
}
