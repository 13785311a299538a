//! Whom one wallet's coins make one, what it takes to say so, and what follows.

use crate::{
    clusters::{join, leave, ClusterList, Clustered, Wallets, MAX_CLUSTERED, MAX_LIFTED},
    link_tests::{are_one, elected, origin, session_ends, three_candidates},
    mock::*,
    pallet::{Clusters, Error, Event, LiftedTransactions},
    Member,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        common_inputs::CommonInputsProof,
        testing::{address, key, pays, Spend},
        L1Hash,
    },
    sequencers::{Entities, OnCorrelation, SequencerWeights},
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResultWithPostInfo, Pays},
};
use proptest::prelude::*;
use sp_core::Pair;
use sp_runtime::{traits::IdentifyAccount, DispatchError, MultiSigner};

/// An account has proven the address of the key that its number stands for.
fn link(n: u8) {
    ProvenBy::mutate(|proven| proven.push((account(n), address(n))));
}

/// The block of a proof is one of L1.
fn applied(proof: CommonInputsProof) -> CommonInputsProof {
    L1Blocks::mutate(|blocks| blocks.push((proof.inclusion.height, proof.inclusion.block())));
    proof
}

/// A transaction, in a block of its own, that the keys of these numbers signed.
fn mined(keys: [u8; 2]) -> CommonInputsProof {
    applied(Spend::of(&keys).proof(1_000 + u32::from(keys[0]) * 256 + u32::from(keys[1])))
}

fn report(first: u8, second: u8, proof: CommonInputsProof) -> DispatchResultWithPostInfo {
    // Anybody reports.
    Registry::report_common_inputs(origin(99), account(first), account(second), proof)
}

/// Both link their addresses and spend together.
fn join_wallets(first: u8, second: u8) {
    link(first);
    link(second);
    let done = report(first, second, mined([first, second])).expect("they signed it");
    assert_eq!(done.pays_fee, Pays::No);
}

#[test]
fn r22_2_candidates_of_one_wallet_share_the_seats_of_one_for_good() {
    three_candidates(|| {
        let txid = mined([4, 5]).inclusion.txid();
        join_wallets(4, 5);
        let found = Event::<Test>::CommonInputsFound {
            first: account(4),
            second: account(5),
            txid,
            l1_height: 1_000 + 4 * 256 + 5,
        };
        System::assert_last_event(found.into());
        assert!(are_one(4, 5) && !are_one(4, 6));
        session_ends(2);
        session_ends(3);
        assert_eq!(elected().len(), 2);
        assert!(elected().contains(&account(6)));
        // Other than a link, it does not end by itself, nor with the addresses.
        ProvenBy::set(Vec::new());
        session_ends(1_000);
        assert!(are_one(4, 5));
    });
}

/// A member that governance appointed takes its wallet's seats, too.
#[test]
fn r22_2_a_candidate_of_a_members_wallet_gets_no_seat_beside_it() {
    three_candidates(|| {
        join_wallets(5, 1);
        session_ends(2);
        session_ends(3);
        assert_eq!(elected(), [4, 6].map(account));
    });
}

/// R22.3: what one entity weighs is a fifth at most, however many seats it has.
#[test]
fn r22_3_a_wallets_sequencers_weigh_as_one() {
    let _ = three_members();
    genesis((1..=6).map(|n| Member { account: account(n), weight: 10 }).collect()).execute_with(
        || {
            put_in_force(&[1, 2, 3, 4, 5, 6], true);
            join_wallets(1, 2);
            let weights = || Registry::weighted().into_iter().map(|one| one.1).collect::<Vec<_>>();
            assert_eq!(weights(), [10; 6], "as it was known when the session began");
            put_in_force(&[1, 2, 3, 4, 5, 6], false);
            assert_eq!(weights(), [5, 5, 10, 10, 10, 10]);
            put_in_force(&[6, 5, 4, 3, 2, 1], true);
            assert_eq!(weights(), [10, 10, 10, 10, 5, 5]);
        },
    );
}

#[test]
fn r22_2_wallets_controllers_and_links_together_make_one() {
    three_candidates(|| {
        for (candidate, controller) in [(7, 9), (8, 9)] {
            know(candidate, 80, 100 * COIN);
            let controller = account(controller);
            assert_ok!(Registry::announce(origin(candidate), Default::default(), Some(controller)));
            assert_ok!(Registry::accept(origin(9), account(candidate)));
        }
        join_wallets(4, 7);
        join_wallets(7, 1);
        // Wallets connect, and bring along who stands behind one of them with all its own.
        for (one, other) in [(1, 4), (9, 4), (8, 1), (8, 4), (7, 8)] {
            assert!(are_one(one, other) && are_one(other, one), "{one} and {other}");
        }
        assert!(!are_one(5, 4) && !are_one(6, 9));
        Registry::on_correlation(&account(8), &account(5));
        assert!(are_one(5, 1) && !are_one(6, 1));
        let known = Registry::entities(&[4, 5, 6, 8].map(account));
        assert_eq!(known[0], known[1]);
        assert_eq!(known[0], known[3]);
        assert_eq!(known[2], account(6));
        // Who reports one of its own is rewarded for nothing.
        assert!(<Registry as Entities>::are_one(&account(9), &account(1)));
    });
}

#[test]
fn r22_2_an_ecdsa_account_needs_no_link() {
    three_candidates(|| {
        let own: AccountId = MultiSigner::Ecdsa(key(33).public()).into_account();
        let member = Member { account: own.clone(), weight: 1 };
        assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
        link(4);
        let proof = mined([33, 4]);
        // Its key, but another account.
        assert_noop!(
            Registry::report_common_inputs(origin(9), account(5), account(4), proof.clone()),
            Error::<Test>::NotTheirKeys
        );
        assert_ok!(Registry::report_common_inputs(origin(9), own.clone(), account(4), proof));
        assert!(<Registry as Entities>::are_one(&own, &account(4)));
    });
}

/// Attack: free reports of what wallets and controllers say already push the oldest links
/// out.
#[test]
fn r22_1_a_pair_that_counts_as_one_by_way_of_others_is_known() {
    three_candidates(|| {
        for candidate in [7, 8] {
            know(candidate, 80, 100 * COIN);
            let controller = Some(account(9));
            assert_ok!(Registry::announce(origin(candidate), Default::default(), controller));
            assert_ok!(Registry::accept(origin(9), account(candidate)));
        }
        let is_known = |one: u8, other: u8| Registry::is_known(&account(one), &account(other));
        assert!(!is_known(8, 4));
        // 4 is of 7's wallet, and 7 is of one entity with 8.
        join_wallets(4, 7);
        for (one, other) in [(8, 4), (4, 8), (9, 4)] {
            assert!(is_known(one, other), "{one} and {other}");
        }
        assert!(!is_known(8, 5) && !is_known(4, 5));
        // A link between two entities says it of all their accounts.
        Registry::on_correlation(&account(7), &account(5));
        assert!(is_known(8, 5) && is_known(5, 4) && !is_known(8, 6) && !is_known(5, 6));
    });
}

/// Attacks: a victim is named that has not signed, or whose keys these are not.
#[test]
fn r22_2_nobody_is_framed() {
    three_candidates(|| {
        link(4);
        link(5);
        let others = mined([4, 20]);
        // The attacker's second key is not the victim's, whoever is named first.
        for (first, second) in [(4, 5), (5, 4)] {
            let reported = || report(first, second, others.clone());
            assert_noop!(reported(), Error::<Test>::NotTheirKeys);
        }
        // The two are swapped.
        assert_noop!(report(5, 4, mined([4, 5])), Error::<Test>::NotTheirKeys);
        // The victim's key in an input that the attacker signed.
        let spend = Spend::of(&[4, 5]);
        let own = key(4).sign_prehashed(&spend.digest(0)).0;
        let forged = key(4).sign_prehashed(&spend.digest(1)).0;
        let raw = spend.with_scripts(&[spend.script(0, &own), spend.script(1, &forged)]);
        let inclusion = cascoin_l2_primitives::l1::testing::mined(raw, 50, 3, 7);
        let proof = CommonInputsProof { inclusion, first: 0, second: 1 };
        assert_noop!(report(4, 5, applied(proof)), Error::<Test>::NotProven);
        // Coins that are mixed with the victim's.
        let mix = Spend { outputs: vec![(5, pays(7)), (5, pays(8))], ..Spend::of(&[4, 5]) };
        assert_noop!(report(4, 5, applied(mix.proof(51))), Error::<Test>::NotProven);
        assert!(Clusters::<Test>::get().is_empty());
    });
}

#[test]
fn r22_2_a_block_that_l1_does_not_have_proves_nothing() {
    three_candidates(|| {
        link(4);
        link(5);
        // Made at home.
        let homemade = Spend::of(&[4, 5]).proof(60);
        assert_noop!(report(4, 5, homemade.clone()), Error::<Test>::UnknownL1Block);
        // Of another height, of one that is not applied, and with another header.
        let mut moved = applied(homemade);
        moved.inclusion.height += 1;
        assert_noop!(report(4, 5, moved.clone()), Error::<Test>::UnknownL1Block);
        moved.inclusion.height = u32::MAX;
        assert_noop!(report(4, 5, moved.clone()), Error::<Test>::UnknownL1Block);
        moved.inclusion.height = 60;
        moved.inclusion.header[70] ^= 1;
        assert_noop!(report(4, 5, moved.clone()), Error::<Test>::UnknownL1Block);
        moved.inclusion.header[70] ^= 1;
        moved.inclusion.position ^= 1;
        assert_noop!(report(4, 5, moved.clone()), Error::<Test>::NotProven);
        moved.inclusion.position ^= 1;
        assert_ok!(report(4, 5, moved));
    });
}

/// Reports are free, so each must say something new: about whom the chain knows, once.
#[test]
fn r22_2_reports_that_say_nothing_new_pay() {
    three_candidates(|| {
        for n in [4, 5, 6, 50] {
            link(n);
        }
        assert_noop!(report(4, 4, mined([4, 4])), Error::<Test>::NoPair);
        assert_noop!(report(4, 50, mined([4, 50])), Error::<Test>::NotASequencer);
        assert_noop!(report(50, 4, mined([50, 4])), Error::<Test>::NotASequencer);
        let proof = mined([4, 5]);
        assert_ok!(report(4, 5, proof.clone()));
        assert_noop!(report(4, 5, proof), Error::<Test>::KnownAlready);
        assert_noop!(report(5, 4, mined([5, 4])), Error::<Test>::KnownAlready);
        assert_ok!(report(5, 6, mined([5, 6])));
        assert_noop!(report(4, 6, mined([4, 6])), Error::<Test>::KnownAlready);
        // By itself, which is as good as any.
        link(1);
        let by_itself =
            Registry::report_common_inputs(origin(1), account(1), account(4), mined([1, 4]));
        assert_ok!(by_itself);
        let unsigned = Registry::report_common_inputs(
            RuntimeOrigin::none(),
            account(1),
            account(4),
            mined([1, 4]),
        );
        assert_eq!(unsigned.map_err(|error| error.error), Err(DispatchError::BadOrigin));
    });
}

#[test]
fn r22_2_governance_lifts_who_signed_with_somebody_else() {
    three_candidates(|| {
        join_wallets(4, 5);
        join_wallets(5, 6);
        let proof = mined([4, 5]);
        let txid = proof.inclusion.txid();
        let lift = |n: u8| Registry::lift_common_inputs(RuntimeOrigin::root(), account(n), txid);
        assert_eq!(
            Registry::lift_common_inputs(origin(4), account(4), txid),
            Err(DispatchError::BadOrigin)
        );
        assert_ok!(lift(4));
        let lifted = Event::<Test>::CommonInputsLifted { account: account(4), txid };
        System::assert_last_event(lifted.into());
        assert!(!are_one(4, 5) && are_one(5, 6), "the others stay");
        assert_noop!(lift(4), Error::<Test>::NotClustered);
        // That transaction proves nothing more, another one does.
        assert_noop!(report(4, 5, proof), Error::<Test>::Lifted);
        assert_ok!(report(5, 4, mined([5, 4])));
        assert!(are_one(4, 6));
    });
}

#[test]
fn lifted_transactions_are_bounded_and_the_oldest_goes() {
    three_members().execute_with(|| {
        for n in 0..=MAX_LIFTED as u8 {
            Clusters::<Test>::mutate(|list| join(list, &account(1), &account(2), |_| true));
            let txid = L1Hash([n; 32]);
            assert_ok!(Registry::lift_common_inputs(RuntimeOrigin::root(), account(1), txid));
            // Once, however often it is lifted.
            Clusters::<Test>::mutate(|list| join(list, &account(1), &account(2), |_| true));
            assert_ok!(Registry::lift_common_inputs(RuntimeOrigin::root(), account(2), txid));
        }
        let lifted = LiftedTransactions::<Test>::get();
        assert_eq!(lifted.len() as u32, MAX_LIFTED);
        assert!(!lifted.contains(&L1Hash([0; 32])) && lifted.contains(&L1Hash([1; 32])));
        assert!(Clusters::<Test>::get().is_empty(), "nobody is in a cluster alone");
    });
}

/// Who sequences or wants to is not forgotten for others.
#[test]
fn clusters_are_bounded_and_who_matters_stays() {
    let named = |n: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        AccountId::new(bytes)
    };
    let mut list = ClusterList::default();
    let matters = |account: &AccountId| (0..384).any(|n| named(n) == *account);
    for n in 0..MAX_CLUSTERED / 2 {
        join(&mut list, &named(2 * n), &named(2 * n + 1), matters);
    }
    assert!(list.is_full());
    join(&mut list, &named(1_000), &named(1_001), matters);
    assert!(list.is_full());
    let place = |n: u32| list.iter().position(|one| one.account == named(n));
    assert!((0..384).all(|n| place(n).is_some()));
    // The first two that do not matter made room.
    assert_eq!([384, 385].map(place), [None; 2]);
    assert!((386..512).all(|n| place(n).is_some()));
    let cluster = |n: u32| place(n).map(|place| list[place].cluster);
    assert!(cluster(1_000).is_some() && cluster(1_000) == cluster(1_001));
    assert!((0..384).all(|n| cluster(n) != cluster(1_000)));
    // One more of a cluster that is there takes one place.
    let mut more = list.clone();
    join(&mut more, &named(0), &named(2_000), matters);
    assert_eq!(more.iter().filter(|one| Some(one.cluster) == cluster(0)).count(), 3);
    assert!(!more.iter().any(|one| one.account == named(386)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whoever is connected is one, nobody else is; the order of reports is nothing, and who
    /// leaves takes nobody along.
    #[test]
    fn r22_2_clusters_are_what_is_connected(
        pairs in prop::collection::vec((0u8..20, 0u8..20), 0..30),
        leaver in 0u8..20,
    ) {
        // By brute force: each pair gives all of one colour the other's.
        let mut colours: Vec<usize> = (0..20).collect();
        for (a, b) in &pairs {
            let (old, new) = (colours[usize::from(*a)], colours[usize::from(*b)]);
            colours.iter_mut().filter(|colour| **colour == old).for_each(|one| *one = new);
        }
        let clusters_of = |pairs: &[(u8, u8)]| {
            let mut list = ClusterList::default();
            for (a, b) in pairs.iter().filter(|(a, b)| a != b) {
                join(&mut list, &account(*a), &account(*b), |_| true);
            }
            list
        };
        let number = |list: &[Clustered], n: u8| {
            list.iter().find(|one| one.account == account(n)).map(|one| one.cluster)
        };
        let mut list = clusters_of(&pairs);
        let mut reversed = pairs.clone();
        reversed.reverse();
        let other = clusters_of(&reversed);
        let wallets =
            Wallets::of(pairs.iter().map(|(a, b)| (account(*a), account(*b))));
        for a in 0..20u8 {
            for b in 0..20u8 {
                let connected = colours[usize::from(a)] == colours[usize::from(b)];
                prop_assert_eq!(wallets.name(account(a)) == wallets.name(account(b)), connected);
                if a == b {
                    continue;
                }
                for list in [&list, &other] {
                    let one = number(list, a).is_some() && number(list, a) == number(list, b);
                    prop_assert_eq!(one, connected);
                }
            }
        }
        let before = list.clone();
        prop_assert_eq!(leave(&mut list, &account(leaver)), number(&before, leaver).is_some());
        prop_assert_eq!(number(&list, leaver), None);
        for one in (0..20u8).filter(|one| *one != leaver) {
            let alone = !(0..20u8).any(|other| {
                other != one && other != leaver
                    && number(&before, other).is_some()
                    && number(&before, other) == number(&before, one)
            });
            let expected = if alone { None } else { number(&before, one) };
            prop_assert_eq!(number(&list, one), expected);
        }
    }
}
