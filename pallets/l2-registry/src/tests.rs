//! Who is in the registry, and who changes what of it.

use crate::{
    mock::*,
    pallet::{Chains, Ends, Error, Event, Names},
    BootstrapRules, Ignored, MAX_CHAINS,
};
use cascoin_l2_primitives::{
    l1::{registration::chain_name, L1Hash},
    registry::{ChainDefinition, ChainStatus},
    relay::L1Event,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H160;
use ChainStatus::{Active, Bootstrapping, Deprecated, Emergency, Paused};

/// A deployer, and somebody else.
const DEPLOYER: u8 = 1;
const STRANGER: u8 = 2;

fn ignored(id: u32, reason: Ignored) {
    System::assert_last_event(
        Event::<Test>::RegistrationIgnored { outpoint: outpoint(id), reason }.into(),
    );
}

fn status(id: u32) -> ChainStatus {
    L2Registry::chain(id).expect("it is registered").chain.status
}

/// Registers and defines a chain.
fn defined(id: u32, definition: ChainDefinition) {
    hear(&registration(id, DEPLOYER, &definition));
    assert_ok!(L2Registry::define(signed(STRANGER), id, definition));
}

/// The same, and opens it a day later.
fn opened(id: u32, definition: ChainDefinition) {
    defined(id, definition);
    Present::set(Present::get() + DAY_MS);
    assert_ok!(L2Registry::set_status(signed(DEPLOYER), id, Active));
}

/// `event` with another value, lock, name or registry.
fn changed(event: L1Event, change: impl FnOnce(&mut u64, &mut u32, &mut u32)) -> L1Event {
    match event {
        L1Event::ChainRegistration {
            outpoint,
            mut chain_id,
            id,
            name,
            definition,
            owner,
            mut value,
            mut unlock,
        } => {
            change(&mut value, &mut unlock, &mut chain_id);
            L1Event::ChainRegistration {
                outpoint,
                chain_id,
                id,
                name,
                definition,
                owner,
                value,
                unlock,
            }
        }
        other => other,
    }
}

#[test]
fn r1_5_what_l1_registers_is_in_the_registry() {
    new_test_ext().execute_with(|| {
        hear(&registration(1_000, DEPLOYER, &testnet()));
        let name = chain_name(b"chain-1000").expect("a name");
        System::assert_last_event(
            Event::<Test>::ChainRegistered {
                id: 1_000,
                name: name.clone(),
                owner: H160([DEPLOYER; 20]),
                value: MIN_STAKE,
                unlock: FAR,
            }
            .into(),
        );
        let listed = L2Registry::chain(1_000).expect("it is registered");
        assert_eq!(listed.chain.status, Bootstrapping);
        assert_eq!(listed.chain.definition_hash, testnet().hash());
        assert_eq!(listed.chain.l1_height, L1_START + 1);
        assert_eq!((listed.chain.registered_at, listed.chain.definition), (NOW, None));
        assert!(listed.holds_name && listed.stake_locked && !listed.chain.opened);
        assert_eq!(L2Registry::chain_named(&name), Some(listed.clone()));
        assert_eq!(L2Registry::chains(false), [listed]);
        assert!(L2Registry::chains(true).is_empty());
        assert_eq!(L2Registry::chain(1_001), None);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn o13_chains_are_listed_by_pages() {
    new_test_ext().execute_with(|| {
        for id in [1_003, 1_001, 1_000, 1_002] {
            defined(id, testnet());
        }
        Present::set(NOW + DAY_MS);
        for id in [1_000, 1_003] {
            assert_ok!(L2Registry::set_status(signed(DEPLOYER), id, Active));
        }
        let page = |active_only, from, limit| -> Vec<u32> {
            let page = L2Registry::chains_from(active_only, from, limit);
            page.into_iter().map(|listed| listed.id).collect()
        };
        assert_eq!(page(false, 0, 9), [1_000, 1_001, 1_002, 1_003]);
        assert_eq!(page(false, 0, 3), [1_000, 1_001, 1_002]);
        assert_eq!(page(false, 1_003, 3), [1_003]);
        assert_eq!(page(true, 0, 2), [1_000, 1_003]);
        assert_eq!(page(true, 1_001, 1), [1_003]);
        assert!(page(false, 1_004, 9).is_empty() && page(false, 0, 0).is_empty());
    });
}

#[test]
fn r1_4_a_deployer_locks_the_least_stake() {
    new_test_ext().execute_with(|| {
        let good = registration(1_000, DEPLOYER, &testnet());
        hear(&changed(good.clone(), |value, _, _| *value -= 1));
        ignored(1_000, Ignored::StakeTooSmall);
        hear(&changed(good.clone(), |_, _, chain_id| *chain_id += 1));
        ignored(1_000, Ignored::OtherRegistry);
        assert!(L2Registry::chains(false).is_empty());
        // None of that spoils the id for what is right.
        hear(&good);
        assert_eq!(status(1_000), Bootstrapping);
    });
}

#[test]
fn r1_3_an_id_is_one_chains() {
    new_test_ext().execute_with(|| {
        hear(&registration(1_000, DEPLOYER, &testnet()));
        hear(&registration(1_000, STRANGER, &testnet()));
        ignored(1_000, Ignored::IdTaken);
        let kept = L2Registry::chain(1_000).expect("it is registered").chain;
        assert_eq!(kept.owner, H160([DEPLOYER; 20]));
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

/// Hashes of the same L1 block's place on two branches.
const ONE: L1Hash = L1Hash([1; 32]);
const OTHER: L1Hash = L1Hash([2; 32]);

/// R19: a registration that L1 forgets opens nothing, until it stands on L1 again.
#[test]
fn r1_4_no_chain_opens_whose_registration_l1_has_left() {
    new_test_ext().execute_with(|| {
        hear_in(&registration(1_000, DEPLOYER, &testnet()), ONE);
        assert_ok!(L2Registry::define(signed(STRANGER), 1_000, testnet()));
        let before = L2Registry::chain(1_000).expect("it is registered");
        Present::set(NOW + DAY_MS);
        Replaced::set(vec![ONE]);
        let open = || L2Registry::set_status(signed(DEPLOYER), 1_000, Active);
        assert_noop!(open(), Error::<Test>::NotOnL1);
        assert!(!L2Registry::chain(1_000).expect("it is registered").stake_locked);

        // The same transaction, in a later block of the other branch.
        L1Height::set(L1_START + 5);
        hear_in(&registration(1_000, DEPLOYER, &testnet()), OTHER);
        let l1_height = L1_START + 6;
        System::assert_last_event(Event::<Test>::ChainMoved { id: 1_000, l1_height }.into());
        let mut after = before;
        (after.chain.l1_height, after.chain.l1_hash) = (l1_height, OTHER);
        assert_eq!(L2Registry::chain(1_000), Some(after), "and nothing else is new");
        assert_eq!(L2Registry::check_state(), Ok(()));
        assert_ok!(open());

        // Nor does it open again.
        assert_ok!(L2Registry::set_status(signed(DEPLOYER), 1_000, Paused));
        Replaced::set(vec![ONE, OTHER]);
        assert_noop!(open(), Error::<Test>::NotOnL1);
    });
}

/// R19: of two that spend the same output, L1 has one.
#[test]
fn r1_3_an_id_is_the_chains_that_l1_has_after_a_fork() {
    new_test_ext().execute_with(|| {
        hear_in(&registration(1_000, DEPLOYER, &testnet()), ONE);
        assert_ok!(L2Registry::define(signed(STRANGER), 1_000, testnet()));
        let mut second = registration(1_000, STRANGER, &mainnet(1_001));
        if let L1Event::ChainRegistration { outpoint: lock, unlock, .. } = &mut second {
            (*lock, *unlock) = (outpoint(5), 2 * FAR);
        }
        hear_in(&second, OTHER);
        System::assert_last_event(
            Event::<Test>::RegistrationIgnored { outpoint: outpoint(5), reason: Ignored::IdTaken }
                .into(),
        );

        Replaced::set(vec![ONE]);
        // One that is none takes nobody's place.
        hear_in(&changed(second.clone(), |value, _, _| *value -= 1), OTHER);
        assert_eq!(L2Registry::chain(1_000).expect("it is kept").chain.owner.0, [DEPLOYER; 20]);
        hear_in(&second, OTHER);
        System::assert_has_event(Event::<Test>::ChainForgotten { id: 1_000 }.into());
        let kept = L2Registry::chain(1_000).expect("it is registered");
        assert_eq!((kept.chain.owner, kept.chain.unlock), (H160([STRANGER; 20]), 2 * FAR));
        assert_eq!((kept.chain.outpoint, kept.chain.definition), (outpoint(5), None));
        assert!(kept.holds_name && kept.stake_locked);
        assert_eq!(Ends::<Test>::get().into_inner(), [(2 * FAR, 1_000)]);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

/// Attack: to take the name of a registration that waits on L1 costs its owner nothing but
/// the name.
#[test]
fn of_several_with_one_name_the_first_is_found_by_it() {
    new_test_ext().execute_with(|| {
        // The mock's names repeat.
        let (first, second) = (1_000, 101_000);
        hear(&registration(first, DEPLOYER, &testnet()));
        hear(&registration(second, STRANGER, &testnet()));
        let name = chain_name(b"chain-1000").expect("a name");
        assert_eq!(L2Registry::chain_named(&name).map(|listed| listed.id), Some(first));
        let other = L2Registry::chain(second).expect("it is registered, too");
        assert_eq!((other.chain.name, other.holds_name), (name, false));
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

/// Attack: to wait for the end of a chain, and take the name from the one that has it next.
#[test]
fn a_name_passes_to_the_next_chain_that_has_it_and_not_to_who_comes_later() {
    new_test_ext().execute_with(|| {
        // The mock's names repeat.
        let (first, second, squatter) = (1_000, 101_000, 201_000);
        hear(&changed(registration(first, DEPLOYER, &testnet()), |_, unlock, _| *unlock = 200));
        hear(&registration(second, DEPLOYER, &testnet()));
        for id in 1_001..1_001 + MAX_CHAINS - 2 {
            hear(&registration(id, DEPLOYER, &testnet()));
        }
        assert_eq!(Ends::<Test>::get().len(), MAX_CHAINS as usize);
        L1Height::set(200);
        hear(&registration(squatter, STRANGER, &testnet()));
        assert_eq!(Chains::<Test>::get(first), None);
        assert_eq!(status(squatter), Bootstrapping);

        let name = chain_name(b"chain-1000").expect("a name");
        assert_eq!(L2Registry::chain_named(&name).map(|listed| listed.id), Some(second));
        assert!(L2Registry::chain(second).expect("it is registered").holds_name);
        assert!(!L2Registry::chain(squatter).expect("it is registered").holds_name);
        assert_eq!(Names::<Test>::get(&name).into_inner(), [second, squatter]);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn r32_1_a_definition_is_what_l1_bound() {
    new_test_ext().execute_with(|| {
        hear(&registration(1_000, DEPLOYER, &testnet()));
        let define = |id, definition| L2Registry::define(signed(STRANGER), id, definition);
        assert_noop!(define(1_001, testnet()), Error::<Test>::UnknownChain);
        let wrong = ChainDefinition { genesis: Default::default(), ..testnet() };
        assert_noop!(define(1_000, wrong), Error::<Test>::WrongDefinition);
        assert_ok!(define(1_000, testnet()));
        System::assert_last_event(
            Event::<Test>::ChainDefined { id: 1_000, definition: testnet() }.into(),
        );
        assert_noop!(define(1_000, testnet()), Error::<Test>::AlreadyDefined);

        let useless = ChainDefinition { gas_limit: 1, ..testnet() };
        hear(&registration(1_001, DEPLOYER, &useless));
        assert_noop!(define(1_001, useless), Error::<Test>::UnusableDefinition);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn r32_3_a_chain_opens_a_day_after_it_was_registered() {
    new_test_ext().execute_with(|| {
        let open = || L2Registry::set_status(signed(DEPLOYER), 1_000, Active);
        assert_noop!(open(), Error::<Test>::UnknownChain);
        hear(&registration(1_000, DEPLOYER, &testnet()));
        assert_noop!(open(), Error::<Test>::NotDefined);
        assert_ok!(L2Registry::define(signed(STRANGER), 1_000, testnet()));
        Present::set(NOW + DAY_MS - 1);
        assert_noop!(open(), Error::<Test>::StillBootstrapping);
        Present::set(NOW + DAY_MS);
        assert_ok!(open());
        System::assert_last_event(
            Event::<Test>::ChainStatusSet { id: 1_000, from: Bootstrapping, to: Active }.into(),
        );
        let listed = L2Registry::chain(1_000).expect("it is registered");
        assert!(listed.chain.opened);
        assert_eq!(listed.chain.status_since, NOW + DAY_MS);
        assert_eq!(L2Registry::chains(true), [listed]);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn r32_2_a_chain_opens_with_five_sequencers() {
    new_test_ext().execute_with(|| {
        defined(1_000, ChainDefinition { sequencers: 4, ..testnet() });
        Present::set(NOW + DAY_MS);
        assert_noop!(
            L2Registry::set_status(signed(DEPLOYER), 1_000, Active),
            Error::<Test>::TooFewSequencers
        );
    });
    // A test network of one node asks for less.
    with_rules(BootstrapRules { bootstrap_ms: 0, min_sequencers: 1 }).execute_with(|| {
        defined(1_000, ChainDefinition { sequencers: 1, ..testnet() });
        assert_ok!(L2Registry::set_status(signed(DEPLOYER), 1_000, Active));
    });
}

#[test]
fn r32_6_a_mainnet_opens_after_its_deployers_test_network() {
    new_test_ext().execute_with(|| {
        defined(1_000, testnet());
        defined(1_001, mainnet(1_000));
        defined(1_002, mainnet(1_001));
        // Somebody else's.
        hear(&registration(1_003, STRANGER, &mainnet(1_000)));
        assert_ok!(L2Registry::define(signed(STRANGER), 1_003, mainnet(1_000)));
        Present::set(NOW + DAY_MS);
        let open = |n, id| L2Registry::set_status(signed(n), id, Active);
        assert_noop!(open(DEPLOYER, 1_001), Error::<Test>::NoRehearsal);
        assert_ok!(open(DEPLOYER, 1_000));
        assert_ok!(open(DEPLOYER, 1_001));
        assert_noop!(open(DEPLOYER, 1_002), Error::<Test>::NoRehearsal);
        assert_noop!(open(STRANGER, 1_003), Error::<Test>::NoRehearsal);
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

/// Issue: the prototype let anybody change any chain's status.
#[test]
fn only_the_deployer_and_governance_change_a_status() {
    new_test_ext().execute_with(|| {
        opened(1_000, testnet());
        for to in ChainStatus::ALL {
            assert_noop!(
                L2Registry::set_status(signed(STRANGER), 1_000, to),
                Error::<Test>::NotTheDeployer
            );
            assert_noop!(
                L2Registry::set_status(RuntimeOrigin::none(), 1_000, to),
                sp_runtime::DispatchError::BadOrigin
            );
        }
        let deployer = |to| L2Registry::set_status(signed(DEPLOYER), 1_000, to);
        let root = |to| L2Registry::set_status(RuntimeOrigin::root(), 1_000, to);
        assert_ok!(deployer(Paused));
        assert_ok!(deployer(Active));
        assert_noop!(deployer(Emergency), Error::<Test>::NoSuchChange);
        assert_ok!(root(Emergency));
        for to in ChainStatus::ALL {
            assert_noop!(deployer(to), Error::<Test>::NoSuchChange);
        }
        assert_noop!(root(Active), Error::<Test>::NoSuchChange);
        assert_ok!(root(Paused));
        assert_ok!(deployer(Active));
        assert_ok!(deployer(Deprecated));
        for to in ChainStatus::ALL {
            assert_noop!(deployer(to), Error::<Test>::NoSuchChange);
            assert_noop!(root(to), Error::<Test>::NoSuchChange);
        }
    });
}

/// An emergency is no way around the rules of opening.
#[test]
fn r32_3_a_chain_that_was_never_opened_opens_by_the_rules_after_an_emergency() {
    new_test_ext().execute_with(|| {
        defined(1_000, testnet());
        assert_ok!(L2Registry::set_status(RuntimeOrigin::root(), 1_000, Emergency));
        assert_ok!(L2Registry::set_status(RuntimeOrigin::root(), 1_000, Paused));
        let open = || L2Registry::set_status(signed(DEPLOYER), 1_000, Active);
        assert_noop!(open(), Error::<Test>::StillBootstrapping);
        Present::set(NOW + DAY_MS);
        assert_ok!(open());
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn r1_4_no_chain_opens_once_its_deployers_coins_are_free() {
    new_test_ext().execute_with(|| {
        opened(1_000, testnet());
        assert_ok!(L2Registry::set_status(signed(DEPLOYER), 1_000, Paused));
        L1Height::set(FAR - 1);
        assert!(L2Registry::chain(1_000).expect("it is registered").stake_locked);
        L1Height::set(FAR);
        assert!(!L2Registry::chain(1_000).expect("it is registered").stake_locked);
        assert_noop!(
            L2Registry::set_status(signed(DEPLOYER), 1_000, Active),
            Error::<Test>::StakeEnded
        );
        assert_ok!(L2Registry::set_status(signed(DEPLOYER), 1_000, Deprecated));
    });
}

/// Attack: to fill the registry.
#[test]
fn a_full_registry_takes_nobodys_place_while_its_coins_are_locked() {
    new_test_ext().execute_with(|| {
        // The third of them ends first.
        let first = 1_000;
        for id in first..first + MAX_CHAINS {
            let event = registration(id, DEPLOYER, &testnet());
            let ends = if id == first + 2 { FAR - 10 } else { FAR };
            hear(&changed(event, |_, unlock, _| *unlock = ends));
        }
        assert_eq!(Ends::<Test>::get().len(), MAX_CHAINS as usize);
        let late = first + MAX_CHAINS;
        let newcomer =
            changed(registration(late, STRANGER, &testnet()), |_, unlock, _| *unlock = 2 * FAR);
        hear(&newcomer);
        ignored(late, Ignored::Full);
        // In the block at the very end the coins are still locked.
        L1Height::set(FAR - 11);
        hear(&newcomer);
        ignored(late, Ignored::Full);
        L1Height::set(FAR - 10);
        hear(&newcomer);
        assert_eq!(status(late), Bootstrapping);
        assert_eq!(Chains::<Test>::get(first + 2), None);
        let gone = chain_name(format!("chain-{}", first + 2).as_bytes()).expect("a name");
        assert!(!Names::<Test>::contains_key(gone));
        System::assert_has_event(Event::<Test>::ChainForgotten { id: first + 2 }.into());
        assert_eq!(L2Registry::check_state(), Ok(()));
        // And that was the only one.
        let next = late + 1;
        hear(&registration(next, STRANGER, &testnet()));
        ignored(next, Ignored::Full);
        assert_eq!(L2Registry::chains(false).len(), MAX_CHAINS as usize);
    });
}
