//! What sequencers' nodes find by themselves, with a real keystore, and what is taken of it.

use crate::{
    mock::*,
    pair_tests::{both_missing, seven, Chain},
    pallet::Call,
    worker::MAX_REPORTS,
};
use cascoin_l2_primitives::chain::{key_types, AccountId};
use codec::Decode;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::RawOrigin,
    traits::{Authorize, Hooks},
};
use sp_core::{
    offchain::{
        testing::{TestOffchainExt, TestTransactionPoolExt},
        OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
    },
    Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
    DispatchError,
};

type Pairs = Vec<(AccountId, AccountId)>;

/// Runs `test` on a node whose keystore has these relay keys; `test` gets a function that
/// runs its worker and takes what that submitted.
fn on_node(sequencers: u8, keys: &[u8], test: impl FnOnce(&dyn Fn() -> Pairs)) {
    let mut ext = new_test_ext(sequencers);
    let (offchain, _) = TestOffchainExt::new();
    let (pool, submitted) = TestTransactionPoolExt::new();
    let keystore = MemoryKeystore::new();
    for seed in keys {
        let suri = format!("0x{}", format!("{seed:02x}").repeat(32));
        keystore
            .insert(key_types::RELAY, &suri, relay_pair(*seed).public().as_ref())
            .expect("the keystore takes it");
    }
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.register_extension(KeystoreExt::new(keystore));
    ext.execute_with(|| {
        test(&|| {
            Participation::offchain_worker(System::block_number());
            let sent = core::mem::take(&mut submitted.write().transactions);
            sent.into_iter().map(pair_in).collect()
        });
    });
}

fn pair_in(bytes: Vec<u8>) -> (AccountId, AccountId) {
    let extrinsic = Extrinsic::decode(&mut &bytes[..]).expect("an extrinsic");
    match extrinsic.function {
        RuntimeCall::Participation(Call::report_correlation_unsigned { first, second }) => {
            (first, second)
        }
        other => panic!("the worker reports pairs, not {other:?}"),
    }
}

fn pair(first: u8, second: u8) -> (AccountId, AccountId) {
    (account(first), account(second))
}

/// What is said of a report from there.
fn judge(source: TransactionSource, first: u8, second: u8) -> Result<(), TransactionValidityError> {
    let (first, second) = pair(first, second);
    let call = Call::<Test>::report_correlation_unsigned { first, second };
    let (validity, _) = call.authorize(source).expect("it is authorised")?;
    assert!(!validity.propagate);
    assert_eq!(validity.longevity, u64::from(REPORT_INTERVAL));
    Ok(())
}

/// A block takes it.
fn take((first, second): (AccountId, AccountId)) {
    let origin = RuntimeOrigin::from(RawOrigin::Authorized);
    assert_ok!(Participation::report_correlation_unsigned(origin, first, second));
}

#[test]
fn r22_1_a_node_finds_a_pair_by_itself_once_an_epoch() {
    on_node(7, &[2, 3], |work| {
        assert!(work().is_empty(), "nobody was missing");
        both_missing(0..41);
        assert!(work().is_empty(), "it has looked in this epoch");
        System::set_block_number(REPORT_INTERVAL);
        assert_eq!(work(), [pair(6, 7)]);
        assert!(work().is_empty(), "it is reported");
        // It got lost.
        System::set_block_number(2 * REPORT_INTERVAL - 1);
        assert!(work().is_empty());
        System::set_block_number(2 * REPORT_INTERVAL);
        assert_eq!(work(), [pair(6, 7)]);
        take(pair(6, 7));
        assert_eq!(Correlated::get(), [pair(6, 7)]);
        System::set_block_number(3 * REPORT_INTERVAL);
        assert!(work().is_empty(), "it is known");
        // The link has ended, and the records still say so.
        Correlated::set(vec![]);
        System::set_block_number(4 * REPORT_INTERVAL);
        assert_eq!(work(), [pair(6, 7)]);
        // The chain was started anew, the local storage was not.
        System::set_block_number(5);
        assert_eq!(work(), [pair(6, 7)]);
    });
}

#[test]
fn r22_1_only_sequencers_nodes_look() {
    let others: [&[u8]; 2] = [&[], &[8, 99]];
    for keys in others {
        on_node(7, keys, |work| {
            both_missing(0..41);
            assert!(work().is_empty());
        });
    }
}

/// Attacks: what is free and takes work comes from the node itself, is true and new.
#[test]
fn r22_1_a_pool_takes_its_own_nodes_reports_that_are_true() {
    let refused = |why: InvalidTransaction| Err(TransactionValidityError::from(why));
    new_test_ext(7).execute_with(|| {
        both_missing(0..41);
        assert_eq!(judge(TransactionSource::Local, 6, 7), Ok(()));
        assert_eq!(judge(TransactionSource::InBlock, 6, 7), Ok(()));
        assert_eq!(judge(TransactionSource::External, 6, 7), refused(InvalidTransaction::Call));
        for (first, second) in [(1, 2), (1, 6), (6, 6), (6, 9)] {
            let judged = judge(TransactionSource::InBlock, first, second);
            assert_eq!(judged, refused(InvalidTransaction::Call), "{first} and {second}");
        }
        let (first, second) = pair(6, 7);
        let origin = RuntimeOrigin::signed(account(1));
        assert_noop!(
            Participation::report_correlation_unsigned(origin, first, second),
            DispatchError::BadOrigin
        );
        take(pair(6, 7));
        for (first, second) in [(6, 7), (7, 6)] {
            let judged = judge(TransactionSource::InBlock, first, second);
            assert_eq!(judged, refused(InvalidTransaction::Stale), "{first} and {second}");
        }
    });
}

/// A set that comes has its accounts at other places until the records follow it.
#[test]
fn r22_1_a_change_of_the_set_names_nobody_else() {
    on_node(7, &[2], |work| {
        both_missing(0..41);
        let changes_to = Some(vec![2, 7, 6, 5, 4, 3, 1]);
        seven().made(Made { term: 41, changes_to, ..Made::by(1, []) }, &[]);
        assert_eq!(work(), [pair(6, 7)]);
        assert_eq!(judge(TransactionSource::Local, 6, 7), Ok(()));
    });
}

/// Each epoch brings a few.
#[test]
fn r22_1_many_pairs_are_reported_one_epoch_after_the_other() {
    on_node(15, &[1], |work| {
        let chain = Chain((1..=15).collect());
        // Five leaders in turn, each of which tells ten times of each of five pairs.
        for number in 0..501u32 {
            let of = 5 + 2 * (number / 5 % 10) as u16;
            let missing = if of < 15 { vec![of, of + 1] } else { vec![] };
            chain.term(number, 1 + (number % 5) as u8, &missing);
        }
        let found = work();
        assert_eq!(found, [pair(6, 7), pair(8, 9), pair(10, 11), pair(12, 13)]);
        assert_eq!(found.len(), MAX_REPORTS);
        found.into_iter().for_each(take);
        System::set_block_number(System::block_number() + REPORT_INTERVAL);
        assert_eq!(work(), [pair(14, 15)]);
    });
}
