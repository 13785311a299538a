//! What sequencers' own L1 nodes say of linked L1 addresses (`getsecuretrust`), and how it
//! is agreed on (R10.1, ADR 0029).
//!
//! L1's own score differs by node and by moment (spec: cascoin-l1.md 5.2), so it can be no
//! source of a score here. The median of what more than two thirds of the sequencers were
//! told is an upper bound of the score that is computed from L1's facts
//! ([`rule::l1_score`](super::rule::l1_score)), until it lapses.
//!
//! Addresses are asked for in *rounds*: the chain names a batch, nodes ask their L1 and
//! leave the answers in their off-chain storage ([`LocalScores`]), and their off-chain
//! workers send them as a [`ScoreVote`].

use super::{Day, Score};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ed25519, ConstU32, H160, H256};
use sp_runtime::Weight;

/// Domain of the signed message.
pub const SCORE_DOMAIN: &[u8; 9] = b"CASL2SCO1";
/// Most addresses of a round.
pub const MAX_SCORED: u32 = 64;
/// Days for which an attested score is a bound: a turn of as many addresses as have one
/// round an hour, 46,080 of them.
pub const BOUND_DAYS: Day = 30;
/// Key of the [`LocalScores`] in a node's persistent off-chain storage.
pub const LOCAL_SCORES_KEY: &[u8] = b"cascoin-l2/l1/scores";

/// The addresses of a round (HASH160 of a key each); none is named twice.
pub type ScoredAddresses = BoundedVec<H160, ConstU32<MAX_SCORED>>;
/// What an L1 node says of them, in their order; `None` where it says nothing.
pub type L1Scores = BoundedVec<Option<Score>, ConstU32<MAX_SCORED>>;

/// The addresses that are asked for now.
#[derive(
    Clone,
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
pub struct ScoreRound {
    /// Rises by one; 0 before the first.
    pub number: u32,
    /// The addresses.
    pub addresses: ScoredAddresses,
}

/// What a sequencer's L1 node says of the addresses of a round.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ScoreVote {
    /// The set that the sequencer belongs to.
    pub set_id: u64,
    /// The round.
    pub round: u32,
    /// The sequencer's index in the set.
    pub signer: u16,
    /// As many as the round has addresses.
    pub scores: L1Scores,
    /// Over [`score_message`], by its relay key.
    pub signature: ed25519::Signature,
}

/// What a sequencer signs: `"CASL2SCO1" ‖ genesis ‖ set_id u64 ‖ round u32 ‖ scores`, in
/// SCALE. The chain has one round of each number, so that says of which addresses.
pub fn score_message(genesis: &H256, set_id: u64, round: u32, scores: &L1Scores) -> Vec<u8> {
    let mut message = SCORE_DOMAIN.to_vec();
    (genesis, set_id, round, scores).encode_to(&mut message);
    message
}

/// What a node was told by its L1 node: written natively, read by the off-chain worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LocalScores {
    /// What was asked for. The whole of it is compared, since a chain that is started anew
    /// counts its rounds anew.
    pub round: ScoreRound,
    /// The answers.
    pub scores: L1Scores,
}

/// The median; of two middle ones the higher, in doubt for the account. `None` of nothing.
/// If less than half of them are wrong, it is not above or below all that are right.
pub fn median(mut scores: Vec<Score>) -> Option<Score> {
    scores.sort_unstable();
    scores.get(scores.len() / 2).copied()
}

/// The L1 addresses that are or were linked to accounts, in turn.
pub trait LinkedAddresses {
    /// At most `most` of them that follow `last` in a fixed order, or the first ones. One
    /// storage read each.
    fn following(last: Option<H160>, most: u32) -> Vec<H160>;
}

/// Told when a score of L1 is attested. `()` does not listen.
pub trait OnAttestedScore {
    /// More than two thirds of the sequencers have been told a score of `address`; this is
    /// the median.
    fn on_attested_score(address: &H160, score: Score);

    /// Upper bound of the weight of that.
    fn weight() -> Weight;
}

impl OnAttestedScore for () {
    fn on_attested_score(_: &H160, _: Score) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::quorum;
    use proptest::prelude::*;

    fn scores(points: &[u64]) -> Vec<Score> {
        points.iter().copied().map(Score::saturating).collect()
    }

    #[test]
    fn the_median_is_the_middle_one_or_the_higher_of_two() {
        for (points, expected) in [
            (&[][..], None),
            (&[7][..], Some(7)),
            (&[9, 1][..], Some(9)),
            (&[100, 0, 40][..], Some(40)),
            (&[50, 10, 40, 20][..], Some(40)),
        ] {
            assert_eq!(median(scores(points)).map(Score::get), expected, "{points:?}");
        }
    }

    #[test]
    fn every_part_of_a_vote_is_signed() {
        let genesis = H256([7; 32]);
        let says = |points: &[Option<u64>]| -> L1Scores {
            let all = points.iter().map(|some| some.map(Score::saturating));
            BoundedVec::truncate_from(all.collect())
        };
        let message =
            |round, points: &[Option<u64>]| score_message(&genesis, 3, round, &says(points));
        let first = message(1, &[Some(4), None]);
        assert!(first.starts_with(b"CASL2SCO1\x07\x07"));
        assert_eq!(first.len(), 9 + 32 + 8 + 4 + 1 + 2 + 1);
        let others = [
            message(2, &[Some(4), None]),
            message(1, &[None, Some(4)]),
            message(1, &[Some(4)]),
            score_message(&genesis, 4, 1, &says(&[Some(4), None])),
            score_message(&H256([8; 32]), 3, 1, &says(&[Some(4), None])),
        ];
        assert!(others.iter().all(|other| *other != first));
    }

    proptest! {
        /// Attack: up to a third of the set says what it likes. The median of a quorum lies
        /// between what the others say.
        #[test]
        fn r10_5_a_third_of_the_set_does_not_move_the_median_out_of_what_the_others_say(
            honest in prop::collection::vec(0u64..=100, 1..43),
            lies in prop::collection::vec(0u64..=100, 0..22),
        ) {
            let members = honest.len() + lies.len();
            prop_assume!(honest.len() >= quorum(members));
            // All who lie are heard, and no more of the others than must be.
            let heard = quorum(members) - lies.len();
            let honest = scores(&honest[..heard]);
            let all = [honest.clone(), scores(&lies)].concat();
            let median = median(all).expect("somebody was heard");
            prop_assert!(honest.iter().min() <= Some(&median));
            prop_assert!(honest.iter().max() >= Some(&median));
        }
    }
}
