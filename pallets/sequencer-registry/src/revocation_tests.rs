//! Keys that are revoked or were used twice: what they are still good for, and how their
//! owner comes back.

use crate::{
    barred::BarredKey,
    candidates::Attestation,
    mock::*,
    pallet::{Banned, BarredKeys, Candidates, Elected, Error, Event, ForcedRotations, Members},
    revocation::RevocationIgnored,
    Member,
};
use cascoin_l2_primitives::{
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Offence, OffenceKind, OnOffence, RevocationKey, SequencerSetProvider},
};
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_core::H160;
use sp_runtime::DispatchError::BadOrigin;

pub(crate) const COLD: H160 = H160([0xcc; 20]);
const OTHER: H160 = H160([0xdd; 20]);

pub(crate) fn origin(n: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(n))
}

pub(crate) fn name(n: u8, key: Option<H160>) {
    assert_ok!(Registry::set_revocation_key(origin(n), key));
}

/// The relay applies a revocation of `n`'s keys.
pub(crate) fn revoke(signer: H160, n: u8) {
    let account = account(n);
    let event = L1Event::KeyRevocation { chain_id: CHAIN_ID, signer, account };
    Registry::on_event(&event, &L1BlockContext { height: 77, ..Default::default() });
}

fn ignored(n: u8, signer: H160, reason: RevocationIgnored) {
    let account = account(n);
    let event = Event::<Test>::RevocationIgnored { account, signer, l1_height: 77, reason };
    System::assert_last_event(event.into());
}

fn revoked(n: u8) {
    let event = Event::<Test>::KeysRevoked { account: account(n), l1_height: 77 };
    System::assert_last_event(event.into());
}

/// A session ends, and the set after the next is this.
pub(crate) fn rotates_to(next: &[u8]) {
    assert_eq!(rotate(), next);
    assert_eq!(Registry::check_state(), Ok(()));
}

/// Members 1 to 4, who have keys; 3 has named its cold key.
pub(crate) fn four(test: impl FnOnce()) {
    three_members().execute_with(|| {
        System::set_block_number(1);
        let member = Member { account: account(4), weight: 40 };
        assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
        settle(&[1, 2, 3, 4]);
        name(3, Some(COLD));
        test();
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn r30_5_revoked_keys_lead_and_sign_nothing_from_that_block_on() {
    four(|| {
        assert_eq!(Registry::leaders(), 4);
        assert!(!Registry::rotation_is_forced());
        revoke(COLD, 3);
        revoked(3);
        let set = Registry::sequencer_set();
        let barred: Vec<_> = set.members.iter().map(|member| member.barred).collect();
        assert_eq!(barred, [false, false, true, false]);
        assert_eq!(set.members[2].relay, ed(3, RELAY_KEY), "its votes count");
        assert_eq!(Registry::relay_key(2), None);
        assert_eq!(Registry::index_of_relay_key(&ed(3, RELAY_KEY)), None);
        assert_eq!(Registry::account(2), Some(account(3)));
        assert_eq!(Registry::relay_key(1), Some(ed(2, RELAY_KEY)));
        assert_eq!((Registry::leaders(), Registry::members()), (3, 4));
        assert!(Registry::rotation_is_forced());
    });
}

/// Two sessions end early: with the first the set without it is planned, with the second
/// it is in force. With new keys it is back two sessions later, and not before.
#[test]
fn r30_5_two_forced_rotations_put_a_set_without_it_in_force_and_new_keys_bring_it_back() {
    four(|| {
        revoke(COLD, 3);
        // Its owner is quick: these are set with the block that revokes the old ones.
        set_keys(3, ed(33, RELAY_KEY));
        rotates_to(&[1, 2, 4]);
        assert!(Registry::rotation_is_forced());
        assert_eq!(Registry::leaders(), 3, "until then it is barred");
        assert_eq!(Members::<Test>::get().len(), 4, "it stays a member");
        rotates_to(&[1, 2, 4]);
        assert!(!Registry::rotation_is_forced());
        assert_eq!(Registry::leaders(), 3);
        assert!(BarredKeys::<Test>::get().is_empty());
        rotates_to(&[1, 2, 4, 3]);
        rotates_to(&[1, 2, 4, 3]);
        assert_eq!(Registry::leaders(), 4);
    });
}

#[test]
fn r30_5_the_keys_are_unregistered_and_a_member_without_new_ones_stays_out() {
    four(|| {
        revoke(COLD, 3);
        assert!(Keyless::get().is_empty(), "the next block does it");
        rotates_to(&[1, 2, 4]);
        assert_eq!(Keyless::get(), [account(3)]);
        rotates_to(&[1, 2, 4]);
        rotates_to(&[1, 2, 4]);
        // A second revocation finds nothing.
        revoke(COLD, 3);
        ignored(3, COLD, RevocationIgnored::NothingToRevoke);
        assert!(!Registry::rotation_is_forced());
    });
}

#[test]
fn r30_5_only_the_named_key_revokes_and_only_its_own_account() {
    four(|| {
        name(4, Some(OTHER));
        revoke(OTHER, 3);
        ignored(3, OTHER, RevocationIgnored::WrongSigner);
        // Nobody has named one; and nobody knows this account.
        for n in [1, 99] {
            revoke(COLD, n);
            ignored(n, COLD, RevocationIgnored::WrongSigner);
        }
        // Of another chain.
        let events = System::events().len();
        let account = account(3);
        let event = L1Event::KeyRevocation { chain_id: CHAIN_ID + 1, signer: COLD, account };
        Registry::on_event(&event, &L1BlockContext::default());
        assert_eq!(System::events().len(), events);
        assert_eq!(Registry::leaders(), 4);
        assert!(!Registry::rotation_is_forced());
    });
}

/// Once its keys are revoked nothing more follows, however often it is said: nobody ends
/// sessions without end.
#[test]
fn r30_5_the_same_again_forces_nothing() {
    four(|| {
        revoke(COLD, 3);
        rotates_to(&[1, 2, 4]);
        let left = ForcedRotations::<Test>::get();
        assert_eq!(left.due, 1);
        revoke(COLD, 3);
        ignored(3, COLD, RevocationIgnored::NothingToRevoke);
        assert_eq!(ForcedRotations::<Test>::get(), left);
    });
}

/// Keys of three kinds can be known of one account, if it changes them.
#[test]
fn r30_5_all_keys_of_an_account_are_revoked_those_to_come_as_well() {
    four(|| {
        set_keys(3, ed(33, RELAY_KEY));
        revoke(COLD, 3);
        assert!(Registry::is_barred(&account(3), &ed(3, RELAY_KEY)));
        assert!(Registry::is_barred(&account(3), &ed(33, RELAY_KEY)));
        rotates_to(&[1, 2, 4]);
        assert_eq!(Keyless::get(), [account(3)]);
    });
}

/// R2b.8: where too few would be left it stays, barred, until its own new keys are in
/// force or there are enough others.
#[test]
fn r30_5_a_set_never_falls_below_its_minimum() {
    four(|| {
        MinSequencers::set(4);
        revoke(COLD, 3);
        revoked(3);
        rotates_to(&[1, 2, 3, 4]);
        rotates_to(&[1, 2, 3, 4]);
        assert!(!Registry::rotation_is_forced());
        assert!(Keyless::get().is_empty(), "pallet-session would drop it without");
        assert_eq!(Registry::leaders(), 3);
        assert_eq!(Registry::relay_key(2), None);
        let member = Member { account: account(5), weight: 1 };
        assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
        rotates_to(&[1, 2, 4, 5]);
        rotates_to(&[1, 2, 4, 5]);
        assert_eq!(Registry::leaders(), 4);
        assert!(BarredKeys::<Test>::get().is_empty());
    });
    four(|| {
        MinSequencers::set(4);
        revoke(COLD, 3);
        rotates_to(&[1, 2, 3, 4]);
        set_keys(3, ed(33, RELAY_KEY));
        rotates_to(&[1, 2, 3, 4]);
        assert_eq!(Registry::leaders(), 3);
        rotates_to(&[1, 2, 3, 4]);
        assert_eq!(Registry::leaders(), 4);
        assert_eq!(Registry::relay_key(2), Some(ed(33, RELAY_KEY)));
    });
}

/// Keys of more than a third, all at once: the set shrinks to who is left, as far as it may.
#[test]
fn r30_5_keys_of_half_the_set_can_be_revoked_at_once() {
    four(|| {
        name(4, Some(COLD));
        revoke(COLD, 3);
        revoke(COLD, 4);
        assert_eq!(Registry::leaders(), 2);
        rotates_to(&[1, 2]);
        rotates_to(&[1, 2]);
        assert_eq!((Registry::leaders(), Registry::quorum()), (2, 2));
    });
    // One of them has to stay.
    four(|| {
        MinSequencers::set(3);
        name(4, Some(COLD));
        revoke(COLD, 3);
        revoke(COLD, 4);
        rotates_to(&[1, 2, 4]);
        assert_eq!(Keyless::get(), [account(3)]);
        rotates_to(&[1, 2, 4]);
        assert_eq!(Registry::leaders(), 2);
    });
    // If all are barred everybody leads.
    four(|| {
        MinSequencers::set(4);
        for n in [1, 2, 4] {
            name(n, Some(COLD));
        }
        (1..=4).for_each(|n| revoke(COLD, n));
        assert_eq!(Registry::leaders(), 4);
        rotates_to(&[1, 2, 3, 4]);
    });
}

/// A candidate is vouched for anew, and gets a seat as others do.
#[test]
fn r30_5_a_candidate_loses_seat_and_attestation() {
    four(|| {
        know(5, 80, MIN_STAKE);
        assert_ok!(Registry::announce(origin(5), Default::default(), None));
        name(5, Some(OTHER));
        Candidates::<Test>::mutate(account(5), |stored| {
            let candidate = stored.as_mut().expect("it announced itself");
            candidate.attestation = Attestation::Given { since: 1 };
        });
        let seat = Member { account: account(5), weight: 9 };
        Elected::<Test>::put(frame_support::BoundedVec::truncate_from(vec![seat]));
        settle(&[1, 2, 3, 4, 5]);
        revoke(OTHER, 5);
        rotates_to(&[1, 2, 3, 4]);
        assert!(Elected::<Test>::get().is_empty());
        let attestation = Candidates::<Test>::get(account(5)).map(|one| one.attestation);
        assert!(matches!(attestation, Some(Attestation::Waiting(_))));
        assert_eq!(Keyless::get(), [account(5)]);
    });
}

/// Who is in no set and has no seat has its keys unregistered at once, and no session ends.
#[test]
fn r30_5_keys_of_a_candidate_without_a_seat_are_unregistered_at_once() {
    four(|| {
        know(5, 80, MIN_STAKE);
        assert_ok!(Registry::announce(origin(5), Default::default(), None));
        name(5, Some(OTHER));
        revoke(OTHER, 5);
        revoked(5);
        assert_eq!(Keyless::get(), [account(5)]);
        assert!(BarredKeys::<Test>::get().is_empty() && !Registry::rotation_is_forced());
        revoke(OTHER, 5);
        ignored(5, OTHER, RevocationIgnored::NothingToRevoke);
    });
}

#[test]
fn r30_5_a_thief_of_the_account_cannot_change_the_key_in_time() {
    four(|| {
        let named = |key, from| {
            let account = account(3);
            let event = Event::<Test>::RevocationKeyNamed { account, key, from };
            System::assert_last_event(event.into());
        };
        System::set_block_number(10);
        name(3, Some(OTHER));
        named(Some(OTHER), 110);
        System::set_block_number(109);
        assert_eq!(Registry::revocation_key(&account(3)).key, Some(COLD));
        revoke(OTHER, 3);
        ignored(3, OTHER, RevocationIgnored::WrongSigner);
        revoke(COLD, 3);
        revoked(3);
        // With that the change is off.
        System::set_block_number(500);
        let kept = RevocationKey { key: Some(COLD), change: None };
        assert_eq!(Registry::revocation_key(&account(3)), kept);
        // Nobody hindered this one.
        name(3, None);
        System::set_block_number(600);
        assert_eq!(Registry::revocation_key(&account(3)), RevocationKey::default());
        revoke(COLD, 3);
        ignored(3, COLD, RevocationIgnored::WrongSigner);
        // The first one, again.
        name(3, Some(OTHER));
        named(Some(OTHER), 600);
    });
}

#[test]
fn r30_5_members_and_candidates_name_a_key() {
    four(|| {
        let set = |n, key| Registry::set_revocation_key(origin(n), key);
        assert_noop!(set(9, Some(COLD)), Error::<Test>::NotASequencer);
        assert_noop!(set(3, Some(COLD)), Error::<Test>::NothingChanges);
        assert_noop!(set(1, None), Error::<Test>::NothingChanges);
        let root = Registry::set_revocation_key(RuntimeOrigin::root(), Some(COLD));
        assert_noop!(root, BadOrigin);
        know(5, 80, MIN_STAKE);
        assert_ok!(Registry::announce(origin(5), Default::default(), None));
        name(5, Some(COLD));
    });
}

fn double_sign(n: u8) {
    let offender = account(n);
    let kind = OffenceKind::DoubleSign;
    Registry::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
}

/// R30.4: keys that signed twice are in more than one hand.
#[test]
fn r30_4_who_signed_twice_leads_and_signs_nothing_from_that_block_on() {
    four(|| {
        double_sign(2);
        let barred: Vec<_> =
            Registry::sequencer_set().members.iter().map(|member| member.barred).collect();
        assert_eq!(barred, [false, true, false, false]);
        assert_eq!((Registry::relay_key(1), Registry::leaders()), (None, 3));
        assert!(!Registry::rotation_is_forced());
        rotates_to(&[1, 3, 4]);
        assert_eq!(Registry::leaders(), 3, "it is in the set until the next session ends");
        rotates_to(&[1, 3, 4]);
        assert!(BarredKeys::<Test>::get().is_empty());
    });
}

/// Where it has to stay new keys do not help it; governance does.
#[test]
fn r30_4_who_signed_twice_is_barred_with_whatever_keys() {
    four(|| {
        MinSequencers::set(4);
        double_sign(2);
        set_keys(2, ed(22, RELAY_KEY));
        rotates_to(&[1, 2, 3, 4]);
        rotates_to(&[1, 2, 3, 4]);
        let barred = BarredKey { account: account(2), relay: ed(22, RELAY_KEY), revoked: false };
        assert_eq!(BarredKeys::<Test>::get().to_vec(), [barred]);
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(2)));
        assert_eq!(Registry::leaders(), 4);
    });
    // But not if the keys were revoked besides.
    four(|| {
        MinSequencers::set(4);
        double_sign(3);
        revoke(COLD, 3);
        revoked(3);
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(3)));
        assert_eq!(Registry::leaders(), 3);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever is revoked, changed and signed twice in whatever order: no set is below its
    /// minimum or has somebody without keys (`rotate` sees to that), nobody whose keys are
    /// revoked is in a set that can do without it, and no more than two sessions are to end
    /// early.
    #[test]
    fn r30_5_sets_stay_sound_whatever_is_revoked(
        least in 1u32..5,
        steps in prop::collection::vec((0u8..4, 1u8..7), 1..30),
    ) {
        three_members().execute_with(|| {
            System::set_block_number(1);
            for n in 4..=6 {
                let member = Member { account: account(n), weight: 1 };
                assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
            }
            MinSequencers::set(least);
            settle(&[1, 2, 3, 4, 5, 6]);
            (1..=6).for_each(|n| name(n, Some(COLD)));
            for ((step, n), purpose) in steps.into_iter().zip(RELAY_KEY + 1..) {
                match step {
                    0 => revoke(COLD, n),
                    1 => set_keys(n, ed(n, purpose)),
                    2 => double_sign(n),
                    _ => {
                        let out = Registry::revoked();
                        let sound = |member: &&Member| {
                            !out.contains(&member.account)
                                && !Keyless::get().contains(&member.account)
                                && !Banned::<Test>::contains_key(&member.account)
                        };
                        let others = Members::<Test>::get().iter().filter(sound).count();
                        let next = rotate();
                        prop_assert!(next.len() >= least as usize);
                        prop_assert!(Registry::members() >= least as usize);
                        if others >= least as usize {
                            prop_assert!(next.iter().all(|n| !out.contains(&account(*n))));
                        }
                    }
                }
                prop_assert!(Registry::leaders() > 0);
                prop_assert!(ForcedRotations::<Test>::get().due <= 2);
                prop_assert_eq!(Registry::check_state(), Ok(()));
            }
            Ok(())
        })?;
    }
}
