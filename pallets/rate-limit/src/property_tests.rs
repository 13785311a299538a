//! P14: whoever sends what and in which order, limits hold and are reached.

use crate::{limits::per_block, mock::*};
use cascoin_l2_primitives::reputation::Score;
use frame_support::dispatch::RawOrigin;
use proptest::prelude::*;
use sp_runtime::transaction_validity::InvalidTransaction;
use std::collections::BTreeMap;

const ACCOUNTS: u8 = 4;

/// One attempt to put a transaction into the block.
#[derive(Clone, Debug)]
enum Attempt {
    /// The account's next transaction; its call may fail.
    Next { seed: u8, fails: bool },
    /// One whose nonce does not fit.
    Misplaced { seed: u8 },
    /// One that nobody signed.
    Unsigned,
    /// None: the account's score changes.
    Scored { seed: u8, score: u8 },
}

/// A block: scores that changed before it, and what is tried in it.
#[derive(Clone, Debug)]
struct Plan {
    scores: BTreeMap<u8, u8>,
    attempts: Vec<Attempt>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let seed = 1..=ACCOUNTS;
    prop_oneof![
        20 => (seed.clone(), any::<bool>()).prop_map(|(seed, fails)| Attempt::Next { seed, fails }),
        2 => seed.clone().prop_map(|seed| Attempt::Misplaced { seed }),
        1 => Just(Attempt::Unsigned),
        2 => (seed, 0..=100u8).prop_map(|(seed, score)| Attempt::Scored { seed, score }),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let scores = prop::collection::btree_map(1..=ACCOUNTS, 0..=100u8, 0..3);
    let attempts = prop::collection::vec(attempt(), 0..120);
    (scores, attempts).prop_map(|(scores, attempts)| Plan { scores, attempts })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// P14: a transaction is taken exactly if its account has had fewer than its limit
    /// in this block, which is that of its first one there, so nobody gets more and
    /// everybody gets as many; each block begins at none; what is refused or not signed counts for nobody.
    #[test]
    fn p14_no_account_gets_more_than_its_limit_into_a_block_and_all_get_as_many(
        rate_limit in 1..6u32,
        plans in prop::collection::vec(plan(), 1..6),
    ) {
        new_test_ext().execute_with(|| {
            RateLimitParameter::set(rate_limit);
            for plan in plans {
                Scores::mutate(|scores| scores.extend(plan.scores));
                let limit = |seed: u8| {
                    let score = Scores::get().get(&seed).copied().unwrap_or_default();
                    per_block(rate_limit, Score::saturating(score.into()))
                };
                // What each had, and its limit at its first one.
                let mut taken: BTreeMap<u8, (u32, u32)> = BTreeMap::new();
                for attempt in plan.attempts {
                    match attempt {
                        Attempt::Next { seed, fails } => {
                            let who = account(seed);
                            let nonce = System::account_nonce(&who);
                            let call = if fails { failing() } else { good() };
                            let applied = apply(RawOrigin::Signed(who), nonce, call);
                            let (had, most) =
                                taken.entry(seed).or_insert_with(|| (0, limit(seed)));
                            if *had < *most {
                                let (result, _) = applied.expect("there is room for it");
                                assert_eq!(result.is_err(), fails);
                                *had += 1;
                            } else {
                                let later = InvalidTransaction::ExhaustsResources;
                                assert_eq!(applied, Err(later.into()));
                                assert_eq!(System::account_nonce(account(seed)), nonce);
                            }
                        }
                        Attempt::Misplaced { seed } => {
                            let who = account(seed);
                            let nonce = System::account_nonce(&who) + 1;
                            let applied = apply(RawOrigin::Signed(who), nonce, good());
                            assert_eq!(applied, Err(InvalidTransaction::Future.into()));
                        }
                        Attempt::Unsigned => {
                            assert!(apply(RawOrigin::Authorized, 0, good()).is_ok());
                        }
                        Attempt::Scored { seed, score } => {
                            Scores::mutate(|scores| scores.insert(seed, score));
                        }
                    }
                }
                next_block();
            }
        });
    }
}
