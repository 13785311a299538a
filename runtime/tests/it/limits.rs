//! What one account, and all users together, get of a block and of a pool (R26).

use crate::chain::{preset, transfer, transfers_of_weight, undone, Applied, Chain};
use cascoin_l2_primitives::chain::{ChainParameters, PS_PER_GAS};
use cascoin_l2_runtime::{
    configs::{ProxyType, RuntimeBlockWeights},
    genesis_config_presets::{mainnet, regtest},
    Executive, RateLimit, Runtime, RuntimeCall, System, UncheckedExtrinsic,
};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    weights::Weight,
};
use frame_system::CheckNonce;
use pallet_rate_limit::{CheckGas, CheckRate, Remaining, TOO_FAR_AHEAD, TOO_MUCH_GAS};
use sp_keyring::Sr25519Keyring::{Alice, Eve, Ferdie};
use sp_runtime::{
    traits::TransactionExtension,
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidity, UnknownTransaction,
    },
};

/// A chain with these parameters, sequencers and coins of development.
fn chain(parameters: ChainParameters) -> Chain {
    let mut genesis = preset("local");
    genesis.chain_parameters.parameters = parameters;
    Chain::from(genesis)
}

/// A chain where an account has `rate_limit` transactions in a block.
fn limited(rate_limit: u32) -> Chain {
    chain(ChainParameters { rate_limit, ..mainnet() })
}

fn is_for_later(applied: &Applied) -> bool {
    *applied == Err(InvalidTransaction::ExhaustsResources.into())
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    RuntimeCall::Utility(pallet_utility::Call::batch_all { calls })
}

/// A call that only Root may make, of the operational class: signed, it fails. Only who
/// holds the sudo key signs such at all.
fn operational() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::set_heap_pages { pages: 8 })
}

fn pooled(chain: &mut Chain, transaction: UncheckedExtrinsic) -> TransactionValidity {
    let head = chain.head.hash();
    // A node drops what validating changes.
    chain.read(|| {
        undone(|| Executive::validate_transaction(TransactionSource::External, transaction, head))
    })
}

/// What users took of the last block, picoseconds.
fn taken(chain: &mut Chain) -> u64 {
    chain.read(|| System::block_weight().get(DispatchClass::Normal).ref_time())
}

#[test]
fn r26_2_what_an_account_has_beyond_its_limit_waits_and_keeps_nobody_out() {
    let mut chain = chain(mainnet());
    let mut transactions: Vec<_> =
        (0..=100).map(|nonce| chain.sign(Eve, nonce, 0, transfer(Ferdie, 1))).collect();
    let last = transactions[100].clone();
    transactions.push(chain.sign(Ferdie, 0, 0, transfer(Eve, 1)));
    let (_, applied) = chain.grow(transactions);
    assert!(applied[..100].iter().all(|one| *one == Ok(Ok(()))));
    assert!(is_for_later(&applied[100]));
    assert_eq!(applied[101], Ok(Ok(())));

    assert!(pooled(&mut chain, last.clone()).is_ok(), "a pool keeps it");
    let (_, applied) = chain.grow(vec![last]);
    assert_eq!(applied, [Ok(Ok(()))]);
}

#[test]
fn who_signs_is_counted_once_whatever_is_in_the_transaction() {
    let mut chain = limited(1);
    let proxy = pallet_proxy::Call::add_proxy {
        delegate: Eve.to_account_id().into(),
        proxy_type: ProxyType::Any,
        delay: 0,
    };
    let proxy = chain.sign(Ferdie, 0, 0, RuntimeCall::Proxy(proxy));
    let many = chain.sign(Eve, 0, 0, batch(vec![transfer(Ferdie, 1); 5]));
    let more = chain.sign(Eve, 1, 0, transfer(Ferdie, 1));
    let (_, applied) = chain.grow(vec![proxy, many, more]);
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(is_for_later(&applied[2]));

    // Eve acts for Ferdie, and has had hers; Ferdie has not.
    let call = pallet_proxy::Call::proxy {
        real: Ferdie.to_account_id().into(),
        force_proxy_type: None,
        call: Box::new(transfer(Eve, 1)),
    };
    let acting = chain.sign(Eve, 1, 0, RuntimeCall::Proxy(call));
    let own = chain.sign(Ferdie, 1, 0, transfer(Eve, 1));
    let more = chain.sign(Eve, 2, 0, transfer(Ferdie, 1));
    let (_, applied) = chain.grow(vec![acting, own, more]);
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(is_for_later(&applied[2]));
}

#[test]
fn failed_and_operational_transactions_count() {
    let mut chain = limited(1);
    // Ten times as many, by the reputation of a sequencer of development.
    assert_eq!(chain.read(|| RateLimit::limit(&Alice.to_account_id())), 10);
    let call = |nonce| if nonce < 5 { transfer(Ferdie, u128::MAX) } else { operational() };
    let transactions = (0..=10).map(|nonce| chain.sign(Alice, nonce, 0, call(nonce))).collect();
    let (_, applied) = chain.grow(transactions);
    assert!(applied[..10].iter().all(|one| matches!(one, Ok(Err(_)))), "{applied:?}");
    assert!(is_for_later(&applied[10]));
}

/// A proxy's transaction is of the class of the call inside. Of these classes no limit
/// of users is asked, and the price of transactions does not rise by them.
#[test]
fn r26_1_users_sign_neither_inherents_nor_operational_calls() {
    let mut chain = chain(mainnet());
    let inherent = || RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 1 });
    let own = |call| {
        RuntimeCall::Proxy(pallet_proxy::Call::proxy {
            real: Eve.to_account_id().into(),
            force_proxy_type: None,
            call: Box::new(call),
        })
    };
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo_unchecked_weight {
        call: Box::new(operational()),
        weight: Weight::from_parts(260_000_000_000, 0),
    });
    let mandatory = Err(InvalidTransaction::MandatoryValidation.into());
    let signer = Err(InvalidTransaction::BadSigner.into());
    let cases = [
        (inherent(), mandatory),
        (own(inherent()), mandatory),
        (operational(), signer),
        (own(operational()), signer),
        (sudo, signer),
    ];
    for (call, refused) in cases {
        let transaction = chain.sign(Eve, 0, 0, call);
        let (_, applied) = chain.build(chain.time + 500, vec![transaction]);
        assert_eq!(applied, [refused]);
    }
}

#[test]
fn counts_are_not_in_the_state() {
    let mut chain = limited(5);
    let transactions = [Eve, Ferdie].map(|who| chain.sign(who, 0, 0, transfer(who, 1)));
    let (_, applied) = chain.grow(transactions.to_vec());
    assert_eq!(applied, [Ok(Ok(())), Ok(Ok(()))]);
    let counts = chain.read(|| Remaining::<Runtime>::iter().count());
    assert_eq!(counts, 0);
}

#[test]
fn r26_2_of_10_000_transactions_of_a_new_account_a_pool_takes_200() {
    let mut chain = chain(mainnet());
    chain.grow(vec![]);
    let mut outcome = |nonce| {
        let transaction = chain.sign(Eve, nonce, 0, transfer(Ferdie, 1));
        pooled(&mut chain, transaction)
    };
    let outcomes: Vec<_> = (0..10_000).map(&mut outcome).collect();
    let (taken, refused) = outcomes.split_at(200);
    assert!(taken.iter().all(Result::is_ok));
    let too_far = Err(UnknownTransaction::Custom(TOO_FAR_AHEAD).into());
    assert!(refused.iter().all(|outcome| *outcome == too_far));
    // Of each nonce a pool holds one that is ready: they exclude each other.
    let tags: std::collections::BTreeSet<_> =
        taken.iter().flatten().map(|valid| valid.provides.clone()).collect();
    assert_eq!(tags.len(), 200);
    assert_eq!(outcome(u32::MAX), too_far);
}

/// Fills a block with what users may have in it, and checks that it is `share` and that
/// operational transactions still find room.
fn users_get(parameters: ChainParameters, share: u64) {
    let mut chain = chain(parameters);
    assert_eq!(chain.read(RateLimit::users_share), share);
    let call = transfers_of_weight(share / 30);
    let transactions: Vec<_> =
        (0..40).map(|nonce| chain.sign(Eve, nonce, 0, call.clone())).collect();
    let fits = |chain: &mut Chain, count: usize| {
        let (_, applied) = chain.build(chain.time + 500, transactions[..count].to_vec());
        applied.iter().all(|one| *one == Ok(Ok(())))
    };
    let full = (1..40).take_while(|count| fits(&mut chain, *count)).count();
    let mut transactions = transactions[..=full].to_vec();
    transactions.push(chain.sign(Alice, 0, 0, operational()));
    let (_, applied) = chain.grow(transactions);
    assert!(full > 0 && is_for_later(&applied[full]), "{full} fit: {applied:?}");
    assert!(matches!(applied[full + 1], Ok(Err(_))), "an operational one is let in");
    let taken = taken(&mut chain);
    assert!(taken <= share && taken > share / 10 * 9, "{taken} of {share}");
}

#[test]
fn r26_1_on_regtest_users_get_their_share_of_10_million_gas() {
    assert_eq!(regtest().block_gas_limit, 10_000_000);
    users_get(regtest(), 10_000_000 * PS_PER_GAS / 4 * 3);
}

#[test]
fn r26_1_on_mainnet_users_get_their_share_of_30_million_gas() {
    assert_eq!(mainnet().block_gas_limit, 30_000_000);
    users_get(mainnet(), 30_000_000 * PS_PER_GAS / 4 * 3);
}

#[test]
fn r26_1_what_no_block_has_room_for_is_never_good() {
    let mut small = chain(regtest());
    small.grow(vec![]);
    // Twice what users have there, two thirds of what they have on mainnet.
    let too_much = 2 * small.read(RateLimit::users_share);
    let huge = || transfers_of_weight(too_much);
    let transaction = small.sign(Eve, 0, 0, huge());
    let never = InvalidTransaction::Custom(TOO_MUCH_GAS);
    assert_eq!(pooled(&mut small, transaction.clone()), Err(never.into()));
    let (_, applied) = small.grow(vec![transaction]);
    assert_eq!(applied, [Err(never.into())]);

    let mut large = chain(mainnet());
    large.grow(vec![]);
    let transaction = large.sign(Eve, 0, 0, huge());
    assert!(pooled(&mut large, transaction.clone()).is_ok());
    let (_, applied) = large.grow(vec![transaction]);
    assert_eq!(applied, [Ok(Ok(()))]);
}

#[test]
fn the_limits_take_less_than_a_tenth_of_a_transfer() {
    let mut chain = chain(mainnet());
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 1));
    chain.read(|| {
        let call = transfer(Ferdie, 1);
        let nonce: Weight = CheckNonce::<Runtime>::from(0).weight(&call);
        let rate: Weight = CheckRate::<Runtime>::from(0).weight(&call);
        let gas: Weight = CheckGas::<Runtime>::new().weight(&call);
        let ours = (rate - nonce).ref_time() + gas.ref_time();
        let base = RuntimeBlockWeights::get().get(DispatchClass::Normal).base_extrinsic.ref_time();
        let all = transaction.get_dispatch_info().total_weight().ref_time() + base;
        assert!(ours > 0 && ours * 10 < all, "{ours} of {all}");
    });
}
