//! Nobody forces balances, the issuance or a set change, wrapped or not.

use crate::chain::{preset, Applied, Chain};
use cascoin_l2_primitives::chain::FeeSplit;
use cascoin_l2_runtime::{
    configs::ProxyType, AccountId, Balances, NobodyForcesMoney, OriginCaller, RuntimeCall,
};
use frame_support::traits::{fungible::Inspect, Contains, InstanceFilter};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Eve, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;

fn forbidden() -> Vec<RuntimeCall> {
    use pallet_balances::{AdjustmentDirection, Call as Balances};
    let eve = || Eve.to_account_id().into();
    vec![
        RuntimeCall::Balances(Balances::force_set_balance { who: eve(), new_free: 1 << 70 }),
        RuntimeCall::Balances(Balances::force_transfer {
            source: eve(),
            dest: Bob.to_account_id().into(),
            value: 5,
        }),
        RuntimeCall::Balances(Balances::force_unreserve { who: eve(), amount: 5 }),
        RuntimeCall::Balances(Balances::force_adjust_total_issuance {
            direction: AdjustmentDirection::Increase,
            delta: 5,
        }),
        RuntimeCall::Grandpa(pallet_grandpa::Call::note_stalled {
            delay: 1,
            best_finalized_block_number: 1,
        }),
        RuntimeCall::Session(pallet_session::Call::purge_keys {}),
    ]
}

/// Each way to wrap a call, as sudo would use it.
fn wrapped(call: RuntimeCall) -> Vec<RuntimeCall> {
    let boxed = Box::new(call.clone());
    let root = || Box::new(OriginCaller::system(frame_system::RawOrigin::Root));
    let remark = || Box::new(remark());
    vec![
        RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: boxed.clone() }),
        RuntimeCall::Sudo(pallet_sudo::Call::sudo_unchecked_weight {
            call: boxed.clone(),
            weight: Default::default(),
        }),
        RuntimeCall::Sudo(pallet_sudo::Call::sudo_as {
            who: Alice.to_account_id().into(),
            call: boxed.clone(),
        }),
        RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![call.clone()] }),
        RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![call.clone()] }),
        RuntimeCall::Utility(pallet_utility::Call::force_batch { calls: vec![call] }),
        RuntimeCall::Utility(pallet_utility::Call::as_derivative { index: 0, call: boxed.clone() }),
        RuntimeCall::Utility(pallet_utility::Call::dispatch_as {
            as_origin: root(),
            call: boxed.clone(),
        }),
        RuntimeCall::Utility(pallet_utility::Call::dispatch_as_fallible {
            as_origin: root(),
            call: boxed.clone(),
        }),
        RuntimeCall::Utility(pallet_utility::Call::with_weight {
            call: boxed.clone(),
            weight: Default::default(),
        }),
        RuntimeCall::Utility(pallet_utility::Call::if_else {
            main: boxed.clone(),
            fallback: remark(),
        }),
        RuntimeCall::Utility(pallet_utility::Call::if_else {
            main: remark(),
            fallback: boxed.clone(),
        }),
        RuntimeCall::Proxy(pallet_proxy::Call::proxy {
            real: Alice.to_account_id().into(),
            force_proxy_type: None,
            call: boxed.clone(),
        }),
        RuntimeCall::Proxy(pallet_proxy::Call::proxy_announced {
            delegate: Alice.to_account_id().into(),
            real: Alice.to_account_id().into(),
            force_proxy_type: None,
            call: boxed.clone(),
        }),
        RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
            other_signatories: vec![Bob.to_account_id()],
            call: boxed.clone(),
        }),
        RuntimeCall::Multisig(pallet_multisig::Call::as_multi {
            threshold: 2,
            other_signatories: vec![Bob.to_account_id()],
            maybe_timepoint: None,
            call: boxed,
            max_weight: Default::default(),
        }),
    ]
}

fn remark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![] })
}

fn sudo(call: RuntimeCall) -> RuntimeCall {
    RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) })
}

/// Lets Alice, who holds the sudo key, make a call.
fn as_alice(chain: &mut Chain, call: RuntimeCall) -> Applied {
    let nonce = chain
        .read(|| cascoin_l2_runtime::System::account_nonce(AccountId::from(Alice.to_raw_public())));
    let transaction = chain.sign(Alice, nonce, 0, call);
    let applied = chain.grow(vec![transaction.clone()]).1.remove(0);
    // A block that ends a session is full, as pallet-session has it: the next one takes it.
    let full = Err(InvalidTransaction::ExhaustsResources.into());
    if applied == full {
        return chain.grow(vec![transaction]).1.remove(0);
    }
    applied
}

#[test]
fn forbidden_calls_are_filtered() {
    for call in forbidden() {
        assert!(!NobodyForcesMoney::contains(&call), "{call:?}");
    }
}

#[test]
fn sudo_finds_them_at_any_depth() {
    for call in forbidden() {
        for once in wrapped(call.clone()) {
            assert!(!NobodyForcesMoney::contains(&sudo(once.clone())), "{once:?}");
            for twice in wrapped(once) {
                assert!(!NobodyForcesMoney::contains(&sudo(twice.clone())), "{twice:?}");
            }
        }
    }
}

#[test]
fn everything_else_passes() {
    for call in wrapped(remark()) {
        assert!(NobodyForcesMoney::contains(&call), "{call:?}");
        assert!(NobodyForcesMoney::contains(&sudo(call)));
    }
}

/// Whatever the sudo key tries, the issuance stays and Eve keeps her coins.
#[test]
fn the_sudo_key_cannot_make_coins() {
    // No fee is burned, so that the issuance tells.
    let mut genesis = preset("regtest");
    genesis.chain_parameters.parameters.fee_split = FeeSplit { producer: 100, others: 0 };
    let mut chain = Chain::from(genesis);
    let eve = Eve.to_account_id();
    let before = chain.read(|| (Balances::total_issuance(), Balances::balance(&eve)));
    for call in forbidden() {
        for attempt in [call.clone()].into_iter().chain(wrapped(call)) {
            // Alone, under sudo, and sudo inside what is not searched.
            let inside = [
                RuntimeCall::Utility(pallet_utility::Call::batch {
                    calls: vec![sudo(attempt.clone())],
                }),
                RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
                    other_signatories: vec![Bob.to_account_id()],
                    call: Box::new(sudo(attempt.clone())),
                }),
            ];
            for call in [attempt.clone(), sudo(attempt)].into_iter().chain(inside) {
                as_alice(&mut chain, call).expect("it is let in and pays").ok();
            }
        }
    }
    assert_eq!(chain.read(|| (Balances::total_issuance(), Balances::balance(&eve))), before);
}

#[test]
fn sudo_works_for_what_is_allowed_and_only_for_its_key() {
    let mut chain = Chain::of("regtest");
    assert_eq!(as_alice(&mut chain, sudo(remark())), Ok(Ok(())));
    let stranger = chain.sign(Ferdie, 0, 0, sudo(remark()));
    let (_, applied) = chain.grow(vec![stranger]);
    assert!(matches!(applied[..], [Ok(Err(_))]), "{applied:?}");
}

#[test]
fn a_proxy_that_must_not_transfer_cannot() {
    let transfer = crate::chain::transfer(Bob, 1);
    assert!(ProxyType::Any.filter(&transfer));
    assert!(!ProxyType::NonTransfer.filter(&transfer));
    assert!(!ProxyType::NonTransfer.filter(&sudo(transfer.clone())));
    assert!(!ProxyType::CancelProxy.filter(&transfer));
    assert!(ProxyType::Any.is_superset(&ProxyType::NonTransfer));
    assert!(!ProxyType::NonTransfer.is_superset(&ProxyType::Any));
}
