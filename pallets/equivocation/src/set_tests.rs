//! Whose keys are known, and for how long.

use crate::{
    mock::*,
    pallet::Sets,
    types::{KnownKey, MAX_SETS, SETS_KEPT},
};
use cascoin_l2_primitives::apis::EvidenceStanding;
use sp_core::Pair;
use sp_runtime::transaction_validity::InvalidTransaction;

fn known(set_id: u64) -> Vec<(cascoin_l2_primitives::chain::AccountId, sp_core::ed25519::Public)> {
    let set = Sets::<Test>::get(set_id).unwrap_or_default();
    set.into_iter().map(|KnownKey { key, account, .. }| (account, key)).collect()
}

fn expected(
    members: &[(u8, u8)],
) -> Vec<(cascoin_l2_primitives::chain::AccountId, sp_core::ed25519::Public)> {
    members.iter().map(|(name, key)| (account(*name), pair(*key).public())).collect()
}

#[test]
fn the_first_set_is_known_from_genesis() {
    new_test_ext(3).execute_with(|| {
        assert_eq!(known(0), expected(&[(1, 1), (2, 2), (3, 3)]));
    });
}

/// A set's id changes at the beginning of a block, its keys at the end: a set
/// noted in between would have the keys of the one before.
#[test]
fn a_new_set_is_noted_with_its_own_keys() {
    new_test_ext(2).execute_with(|| {
        change_set(vec![(2, 22), (5, 5)]);
        assert_eq!(known(0), expected(&[(1, 1), (2, 2)]));
        assert_eq!(known(1), expected(&[(2, 22), (5, 5)]));
    });
}

#[test]
fn an_offence_counts_for_whose_key_it_was_then() {
    new_test_ext(2).execute_with(|| {
        change_set(vec![(1, 9), (2, 1)]);
        assert_eq!(report(evidence(1, 0)), Ok(()));
        assert_eq!(Equivocation::double_signs(1)[0].offender, account(1));
        assert_eq!(report(evidence(1, 1)), Ok(()));
        assert_eq!(Equivocation::double_signs(1)[0].offender, account(2));
        let gone = evidence(2, 1);
        assert_eq!(pool(gone), Err(InvalidTransaction::BadSigner.into()), "of set 0 only");
    });
}

#[test]
fn evidence_may_be_as_old_as_the_sets_that_are_kept() {
    new_test_ext(2).execute_with(|| {
        for _ in 1..SETS_KEPT {
            change_set(vec![(1, 1), (2, 2)]);
        }
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Wanted);
        change_set(vec![(1, 1), (2, 2)]);
        let old = evidence(1, 0);
        assert_eq!(Equivocation::standing(&old), EvidenceStanding::Void);
        assert_eq!(pool(old), Err(InvalidTransaction::Stale.into()));
        assert_eq!(Equivocation::standing(&evidence(1, 1)), EvidenceStanding::Wanted);
        assert_eq!(Sets::<Test>::iter().count() as u64, SETS_KEPT);
    });
}

fn change() {
    change_set(vec![(1, 1), (2, 2)]);
}

/// Where sets follow each other fast, since keys are revoked, evidence counts all the same
/// as long as stake is on hold.
#[test]
fn r30_5_many_sets_in_a_short_time_make_no_evidence_void() {
    new_test_ext(2).execute_with(|| {
        KeptBlocks::set(100_000);
        let more = 50;
        for _ in 1..SETS_KEPT + more {
            change();
        }
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Wanted);
        assert_eq!(Sets::<Test>::iter().count() as u64, SETS_KEPT + more);
        // Set 0 was replaced in block 2. It is forgotten with the first change after that,
        // and the others as they expire; the last ones stay.
        System::set_block_number(100_001);
        change();
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Wanted);
        change();
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Void);
        assert_eq!(Equivocation::standing(&evidence(1, 1)), EvidenceStanding::Wanted);
        System::set_block_number(300_000);
        for _ in 0..=more + 2 {
            change();
        }
        assert_eq!(Sets::<Test>::iter().count() as u64, SETS_KEPT);
    });
}

/// R17.6: where others took over from a set that did nothing, some ids are no set's. They do
/// not keep the places of others for ever.
#[test]
fn r17_6_ids_that_are_no_sets_are_forgotten_with_the_others() {
    new_test_ext(2).execute_with(|| {
        SetId::set(9);
        change();
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Wanted);
        assert_eq!(Equivocation::standing(&evidence(1, 5)), EvidenceStanding::Void);
        assert_eq!(Equivocation::standing(&evidence(1, 10)), EvidenceStanding::Wanted);
        // As many as are kept, from here on.
        for _ in 1..SETS_KEPT {
            change();
        }
        assert_eq!(Sets::<Test>::iter_keys().min(), Some(10));
        SetId::mutate(|id| *id += 63);
        change();
        // Those of 64 ids more are too old.
        assert_eq!(Sets::<Test>::iter_keys().min(), Some(74));
        assert_eq!(Equivocation::standing(&evidence(1, 73)), EvidenceStanding::Void);
    });
}

#[test]
fn no_more_sets_are_kept_than_the_bound_however_young_they_are() {
    new_test_ext(2).execute_with(|| {
        KeptBlocks::set(u32::MAX);
        // As if all between had been.
        SetId::set(MAX_SETS - 2);
        change();
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Wanted);
        change();
        assert_eq!(Equivocation::standing(&evidence(1, 0)), EvidenceStanding::Void);
        assert_eq!(Equivocation::standing(&evidence(1, MAX_SETS)), EvidenceStanding::Wanted);
    });
}
