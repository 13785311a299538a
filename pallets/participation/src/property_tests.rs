//! Whatever happens, the counts add up.

use crate::{
    mock::*,
    pallet::{Members, Offences, Totals},
    MAX_OFFENCES,
};
use cascoin_l2_primitives::{chain::quorum, sequencers::SequencerBits};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A block of random signers: a quorum for certain, others as `more` says.
fn signers(members: usize, from: usize, more: u64) -> SequencerBits {
    let sure = (0..quorum(members)).map(|step| ((from + step) % members) as u16);
    let others = (0..members).filter(|index| more >> index & 1 == 1).map(|index| index as u16);
    sure.chain(others).collect()
}

#[derive(Clone, Debug)]
struct Step {
    author: usize,
    rounds: u16,
    from: usize,
    more: u64,
    /// Who is in the next set, where one begins.
    next: Vec<u8>,
    changes: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let set = prop::sample::subsequence((1..=12u8).collect::<Vec<_>>(), 1..=8);
    (0..64usize, 0..6u16, 0..64usize, any::<u64>(), set, prop::bool::weighted(0.5)).prop_map(
        |(author, rounds, from, more, next, changes)| Step {
            author,
            rounds,
            from,
            more,
            next,
            changes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// R2b.6, SEQ_OFFLINE: what is counted is a function of the blocks; a plain model
    /// that keeps everything comes to the same. Storage stays within its bounds.
    #[test]
    fn r2b6_the_counts_are_those_of_a_model_that_keeps_every_block(
        first in 1..=6u8,
        session in 1..6u32,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        new_test_ext(first).execute_with(|| {
            SessionBlocks::set(session);
            // Made, missed, signed, not signed; of whom is in the set.
            let mut model: BTreeMap<u8, [u64; 4]> =
                (1..=first).map(|seed| (seed, [0; 4])).collect();
            // The set that makes the block, and the one that signed its parent.
            let mut set: Vec<u8> = (1..=first).collect();
            let mut voters = set.clone();
            for (step, height) in steps.into_iter().zip(1u32..) {
                let author = set[step.author % set.len()];
                let failed = usize::from(step.rounds).min(set.len());
                let failed: SequencerBits = (0..failed as u16).collect();
                let signed = match height {
                    1 => SequencerBits::NOBODY,
                    _ => signers(voters.len(), step.from % voters.len(), step.more),
                };
                let ends = height.is_multiple_of(session);
                let next = (ends && step.changes && step.next != set).then_some(step.next);
                let made = Made {
                    author,
                    round: step.rounds,
                    signers: signed,
                    failed,
                    term: height / 3,
                    signed_in: 0,
                    heard: SequencerBits::NOBODY,
                    changes_to: next.clone(),
                    takes_over: None,
                };
                block(made).expect("a good block");

                for (index, seed) in voters.iter().enumerate().filter(|_| height > 1) {
                    if let Some(counts) = model.get_mut(seed) {
                        counts[if signed.contains(index) { 2 } else { 3 }] += 1;
                    }
                }
                model.get_mut(&author).expect("a member")[0] += 1;
                for (index, seed) in set.iter().enumerate() {
                    if failed.contains(index) {
                        model.get_mut(seed).expect("a member")[1] += 1;
                    }
                }
                voters.clone_from(&set);
                if let Some(next) = next {
                    set = next;
                    model.retain(|seed, _| set.contains(seed));
                    for seed in &set {
                        model.entry(*seed).or_default();
                    }
                }
                let seen: BTreeMap<_, _> = Participation::participation()
                    .into_iter()
                    .map(|of| {
                        let seed = AsRef::<[u8]>::as_ref(&of.account)[0];
                        let counts = [of.produced, of.missed_proposals, of.votes, of.missed_votes];
                        (seed, counts)
                    })
                    .collect();
                assert_eq!(seen, model, "after block {height}");
            }
            assert!(Totals::<Test>::iter().count() <= 2 * Members::<Test>::get().len().max(8));
            assert!(Offences::<Test>::get().len() as u32 <= MAX_OFFENCES);
        });
    }
}
