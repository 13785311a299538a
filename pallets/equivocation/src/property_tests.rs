//! What must hold for every order in which reports and sets come.

use crate::{
    mock::*,
    pallet::{RecordCount, Sets},
};
use cascoin_l2_primitives::consensus::{DoubleSignEvidence, GrandpaRound, Statement};
use proptest::prelude::*;
use sp_core::Pair;
use std::collections::{BTreeMap, BTreeSet};

/// Something that arrives.
#[derive(Clone, Debug)]
enum Arrival {
    /// Evidence that `key` signed both prevotes in `set_id`; the second signature
    /// is really by `signer`.
    Report { key: u8, signer: u8, set_id: u64, height: u32, blocks: (u8, u8) },
    /// Another set, of accounts and their keys.
    Change(Vec<(u8, u8)>),
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let report = (1..6u8, prop::bool::weighted(0.8), 1..6u8, 0..6u64, 1..3u32, (1..4u8, 1..4u8))
        .prop_map(|(key, honest, other, set_id, height, blocks)| Arrival::Report {
            key,
            signer: if honest { key } else { other },
            set_id,
            height,
            blocks,
        });
    let change = Just([1u8, 2, 3, 4, 5]).prop_shuffle();
    let change = (change, Just([1u8, 2, 3, 4, 5]).prop_shuffle(), 1..=5usize).prop_map(
        |(names, keys, size)| Arrival::Change(names.into_iter().zip(keys).take(size).collect()),
    );
    prop_oneof![6 => report, 1 => change]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// An account is told of exactly when its key in that set signed two
    /// different things, and once a set.
    #[test]
    fn p15_only_who_signed_twice_is_blamed_and_once_a_set(
        arrivals in prop::collection::vec(arrival(), 1..60),
    ) {
        new_test_ext(4).execute_with(|| {
            let mut sets: BTreeMap<u64, Vec<(u8, u8)>> = BTreeMap::new();
            sets.insert(0, Members::get());
            let mut blamed = BTreeSet::new();
            for arrival in arrivals {
                match arrival {
                    Arrival::Change(members) => {
                        change_set(members.clone());
                        sets.insert(SetId::get(), members);
                    }
                    Arrival::Report { key, signer, set_id, height, blocks } => {
                        let at = GrandpaRound { epoch: 0, height, round: 0 };
                        let prevote = |seed| Statement::Prevote { block: Some(block(seed)) };
                        let one = sign(key, set_id, at, prevote(blocks.0));
                        let other = sign(signer, set_id, at, prevote(blocks.1));
                        let evidence =
                            DoubleSignEvidence::new(set_id, pair(key).public(), at, one, other);
                        prop_assert_eq!(evidence.is_some(), blocks.0 != blocks.1);
                        let Some(evidence) = evidence else { continue };
                        let owner = sets.get(&set_id).and_then(|members| {
                            members.iter().find(|(_, own)| *own == key).map(|(name, _)| *name)
                        });
                        let guilty = owner.filter(|_| signer == key);
                        let fresh = guilty.is_some_and(|name| blamed.insert((set_id, name)));
                        prop_assert_eq!(report(evidence).is_ok(), fresh);
                        Equivocation::do_try_state().expect("the state is sound");
                    }
                }
            }
            let told: BTreeSet<_> =
                Told::get().into_iter().map(|offence| (offence.set_id, offence.offender)).collect();
            let expected: BTreeSet<_> =
                blamed.iter().map(|(set_id, name)| (*set_id, account(*name))).collect();
            prop_assert_eq!(told, expected);
            prop_assert_eq!(Told::get().len(), blamed.len());
            prop_assert_eq!(RecordCount::<Test>::get(), blamed.len() as u64);
            prop_assert_eq!(Sets::<Test>::iter().count(), sets.len());
            Ok(())
        })?;
    }
}
