//! Whatever a minority does: who votes is never blamed, and who does not is.

use crate::{mock::*, withheld::LOOK_BLOCKS};
use cascoin_l2_primitives::{
    chain::{quorum, AccountId},
    relay::L1BlockDigest,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Looks of a deadline.
const LOOKS: u32 = 8;
/// L1's blocks, on each of two branches; fewer than the heights that votes are taken for.
const BLOCKS: usize = 60;

/// What one of the minority does between two looks.
#[derive(Clone, Debug)]
struct Deed {
    who: usize,
    /// Votes for L1's blocks, or for others.
    lies: bool,
    first: usize,
    len: usize,
    tip_time: u32,
    /// Says that L1 forked, besides.
    forks: bool,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0..4usize, any::<bool>(), 0..BLOCKS, 1..4usize, 1..50u32, any::<bool>()).prop_map(
        |(who, lies, first, len, tip_time, forks)| Deed { who, lies, first, len, tip_time, forks },
    )
}

/// What comes before a look: what the minority does, and whether the set changes.
fn rounds(count: usize) -> impl Strategy<Value = Vec<(Vec<Deed>, bool)>> {
    let round = (prop::collection::vec(deed(), 0..4), prop::bool::weighted(0.2));
    prop::collection::vec(round, count..=count)
}

/// All of L1 that honest sequencers read, voted for by their nodes: as it comes, and again
/// when the set changed.
fn honest_vote(honest: u16, blocks: &[L1BlockDigest], tip_time: u32) {
    for voter in 0..honest {
        let attested = (heights().0 - START) as usize;
        if let Some(above) = blocks.get(attested..).filter(|above| !above.is_empty()) {
            let _ = cast(vote_for(voter, above, tip_time));
        }
    }
}

fn punished() -> BTreeSet<AccountId> {
    Punished::get().into_iter().map(|offence| offence.offender).collect()
}

/// Accounts of those from `first` on.
fn accounts(first: u16, sequencers: u8) -> BTreeSet<AccountId> {
    (first..u16::from(sequencers)).map(|index| AccountId::new([index as u8 + 1; 32])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn r17_6_who_votes_never_loses_its_seat_whatever_a_minority_does(
        sequencers in 3..=9u8,
        all in rounds(3 * LOOKS as usize),
    ) {
        let minority = (sequencers - 1) / 2;
        let honest = u16::from(sequencers - minority);
        new_test_ext(sequencers).execute_with(|| {
            WithholdingS::set(u64::from(LOOKS * LOOK_BLOCKS / 2));
            let branches = [0, 9].map(|branch| digests(&l1_chain(branch, &[0; BLOCKS])));
            for (round, (deeds, set_changes)) in all.into_iter().enumerate() {
                if set_changes {
                    SetId::mutate(|id| *id += 1);
                }
                for deed in deeds {
                    let voter = honest + (deed.who % usize::from(minority)) as u16;
                    let branch = &branches[usize::from(deed.lies)];
                    let last = (deed.first + deed.len).min(BLOCKS);
                    let _ = cast(vote_for(voter, &branch[deed.first..last], deed.tip_time));
                    if deed.forks {
                        let fork = fork_at(&start(), &branches[1][0]);
                        let _ = cast_fork(fork_vote(voter, fork, deed.tip_time + 1));
                    }
                }
                // L1 has two blocks more each time.
                let readable = (2 * round + 1).min(BLOCKS);
                honest_vote(honest, &branches[0][..readable], 100 + round as u32);
                run(LOOK_BLOCKS);
            }
            let blamed = punished();
            assert!(blamed.is_subset(&accounts(honest, sequencers)), "{blamed:?}");
            Relay::do_try_state().expect("sound at the end");
        });
    }

    #[test]
    fn r17_6_who_keeps_l1_from_being_attested_by_silence_is_punished_at_the_deadline(
        sequencers in prop::sample::select(vec![3, 5, 6, 7, 8, 9u8]),
        more in any::<bool>(),
        changes in prop::collection::vec(prop::bool::weighted(0.3), LOOKS as usize),
    ) {
        let least = sequencers - quorum(usize::from(sequencers)) as u8 + 1;
        let silent = if more { (sequencers - 1) / 2 } else { least };
        let honest = u16::from(sequencers - silent);
        new_test_ext(sequencers).execute_with(|| {
            WithholdingS::set(u64::from(LOOKS * LOOK_BLOCKS / 2));
            let blocks = digests(&l1_chain(0, &[0; BLOCKS]));
            for (round, set_changes) in changes.into_iter().enumerate() {
                if set_changes {
                    SetId::mutate(|id| *id += 1);
                }
                assert!(Punished::get().is_empty());
                honest_vote(honest, &blocks[..=round], 100);
                run(LOOK_BLOCKS);
            }
            assert_eq!(heights().0, START);
            assert_eq!(punished(), accounts(honest, sequencers));
        });
    }
}
