//! Links between L1 addresses and accounts.

use crate::{mock::*, pallet::Error, pallet::Event, types::MAX_PROVEN};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::signed_message::{digest, key_hash},
    reputation::L1AddressProvider,
    reputation::{
        export::{ExportedScore, ScoreCause},
        Score,
    },
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::{ecdsa, Pair, H160};

/// What `signmessage` of the wallet with this key gives.
pub(crate) fn wallet_signs(seed: u8, message: &str) -> [u8; 65] {
    let ours = ecdsa::Pair::from_seed(&[seed; 32]).sign_prehashed(&digest(message)).0;
    let mut signature = [0; 65];
    signature[0] = 31 + ours[64];
    signature[1..].copy_from_slice(&ours[..64]);
    signature
}

pub(crate) fn address(seed: u8) -> H160 {
    H160(key_hash(&ecdsa::Pair::from_seed(&[seed; 32]).public().0))
}

fn link(account: AccountId, signature: [u8; 65]) -> sp_runtime::DispatchResult {
    Reputation::link_l1_address(RuntimeOrigin::signed(account), signature)
}

#[test]
fn a_wallets_signature_links_its_address() {
    new_test_ext().execute_with(|| {
        let signature = wallet_signs(1, &Reputation::message(&ALICE));
        assert_ok!(link(ALICE, signature));
        System::assert_last_event(
            Event::<Test>::Linked { account: ALICE, address: address(1) }.into(),
        );
        assert_eq!(Reputation::l1_address(&ALICE), Some(address(1)));
        // Another address takes its place, and the first is free again.
        assert_ok!(link(ALICE, wallet_signs(2, &Reputation::message(&ALICE))));
        assert_eq!(Reputation::l1_address(&ALICE), Some(address(2)));
        assert_ok!(link(BOB, wallet_signs(1, &Reputation::message(&BOB))));
        assert_eq!(Reputation::check_state(), Ok(()));
        assert_ok!(Reputation::unlink_l1_address(RuntimeOrigin::signed(ALICE)));
        assert_noop!(
            Reputation::unlink_l1_address(RuntimeOrigin::signed(ALICE)),
            Error::<Test>::NotLinked
        );
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

/// R10.4: what is exported to L1 is told when it has changed, after it has.
#[test]
fn r10_4_links_scores_and_offences_are_told() {
    new_test_ext().execute_with(|| {
        let says = |score| Some(ExportedScore { score: Score::saturating(score), suspicion: None });
        let punish = |offender| {
            let kind = OffenceKind::Offline;
            Reputation::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
        };
        punish(BOB);
        assert!(Told::get().is_empty(), "Bob is not linked");
        assert_ok!(link(ALICE, wallet_signs(1, &Reputation::message(&ALICE))));
        punish(ALICE);
        assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), ALICE, Score::MAX));
        assert_ok!(link(ALICE, wallet_signs(2, &Reputation::message(&ALICE))));
        assert_ok!(Reputation::unlink_l1_address(RuntimeOrigin::signed(ALICE)));
        let expected = [
            (address(1), ScoreCause::Link, says(70)),
            (address(1), ScoreCause::Offence, says(65)),
            (address(1), ScoreCause::L1Score, says(95)),
            (address(1), ScoreCause::Link, None),
            (address(2), ScoreCause::Link, says(95)),
            (address(2), ScoreCause::Link, None),
        ];
        assert_eq!(Told::get(), expected);
    });
}

#[test]
fn nobody_links_an_address_whose_key_it_does_not_hold() {
    new_test_ext().execute_with(|| {
        // What Alice's wallet signed for Alice gives Bob some address nobody has.
        let for_alice = wallet_signs(1, &Reputation::message(&ALICE));
        let _ = link(BOB, for_alice);
        assert_ne!(Reputation::l1_address(&BOB), Some(address(1)));
        // An address is linked once, whoever signs.
        assert_ok!(link(ALICE, for_alice));
        let moved = wallet_signs(1, &Reputation::message(&BOB));
        assert_noop!(link(BOB, moved), Error::<Test>::AddressTaken);
        let mut uncompressed = for_alice;
        uncompressed[0] = 27;
        assert_noop!(link(BOB, uncompressed), Error::<Test>::BadSignature);
        // r is no number below the group's order.
        let mut no_number = [0xff; 65];
        no_number[0] = 31;
        assert_noop!(link(BOB, no_number), Error::<Test>::BadSignature);
    });
}

/// R22.2: who links another address stays who held the first.
#[test]
fn r22_2_what_an_account_has_proven_once_is_kept() {
    new_test_ext().execute_with(|| {
        let proven = |account: &AccountId, seed| Reputation::has_proven(account, &address(seed));
        assert!(!proven(&ALICE, 1));
        assert_ok!(link(ALICE, wallet_signs(1, &Reputation::message(&ALICE))));
        assert_ok!(link(ALICE, wallet_signs(2, &Reputation::message(&ALICE))));
        assert_ok!(Reputation::unlink_l1_address(RuntimeOrigin::signed(ALICE)));
        assert!(proven(&ALICE, 1) && proven(&ALICE, 2) && !proven(&ALICE, 3));
        assert!(!proven(&BOB, 1));
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

/// Attack: proving so many addresses that the first is forgotten.
#[test]
fn r22_2_an_account_proves_a_bounded_number_of_addresses_and_none_is_forgotten() {
    new_test_ext().execute_with(|| {
        let most = MAX_PROVEN as u8;
        for seed in 1..=most {
            assert_ok!(link(ALICE, wallet_signs(seed, &Reputation::message(&ALICE))));
        }
        let more = wallet_signs(most + 1, &Reputation::message(&ALICE));
        assert_noop!(link(ALICE, more), Error::<Test>::TooManyAddresses);
        // One that it has proven it may link again.
        assert_ok!(link(ALICE, wallet_signs(1, &Reputation::message(&ALICE))));
        assert_eq!(Reputation::l1_address(&ALICE), Some(address(1)));
        assert!((1..=most).all(|seed| Reputation::has_proven(&ALICE, &address(seed))));
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}
