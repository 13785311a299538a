//! What would fall, if a recovery went back to a past block, and that its state can be
//! brought back.

use crate::chain::{preset, transfer, Chain};
use cascoin_l2_primitives::recovery::{
    read_page, restore, Cursor, Fall, Outcome, Past, State, Verdict,
};
use cascoin_l2_runtime::{
    configs::rehearse_recovery, AccountId, Balances, RuntimeCall, System, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::{storage::storage_prefix, traits::fungible::Inspect};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, One, Two};
use sp_runtime::{traits::BlakeTwo256, transaction_validity::InvalidTransaction};
use sp_trie::{LayoutV1, MemoryDB, StorageProof, TrieDBMutBuilder, TrieMut};

const COIN: u128 = 100_000_000;
/// What account One gets, and L1 drops.
const MINTED: u128 = 10 * COIN;

/// The chain at the point that is gone back to, and one that went on from there with
/// coins that it should not have.
fn chains() -> (Chain, Chain) {
    let mut genesis = preset("regtest");
    let mut point = Chain::from(preset("regtest"));
    genesis.balances.balances.push((One.to_account_id(), MINTED));
    let mut chain = Chain::from(genesis);
    point.grow(vec![]);
    chain.grow(vec![]);
    (point, chain)
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> u128 {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn past(transaction: &UncheckedExtrinsic, succeeded: bool) -> Past<Vec<u8>> {
    let outcome = if succeeded { Outcome::Succeeded } else { Outcome::Failed };
    Past { transaction: transaction.encode(), outcome }
}

/// A call that moves no coins.
fn remark(byte: u8) -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![byte] })
}

#[test]
fn p20_what_was_paid_with_dropped_coins_falls_and_nothing_else() {
    let (mut point, mut chain) = chains();
    let first = [
        chain.sign(One, 0, 0, transfer(Two, 4 * COIN)),
        chain.sign(Alice, 0, 0, transfer(Eve, COIN)),
        // More than it has: it fails, and pays its fee.
        chain.sign(One, 1, 0, transfer(Two, 100 * COIN)),
    ];
    let (_, applied) = chain.grow(first.to_vec());
    assert!(applied[0] == Ok(Ok(())) && applied[1] == Ok(Ok(())), "{applied:?}");
    assert!(matches!(applied[2], Ok(Err(_))), "{applied:?}");
    let second = [
        chain.sign(Two, 0, 0, transfer(Eve, COIN)),
        chain.sign(Alice, 1, 0, remark(1)),
        chain.sign(Eve, 0, 7, transfer(One, 2 * COIN)),
    ];
    let (_, applied) = chain.grow(second.to_vec());
    assert_eq!(applied, [Ok(Ok(())); 3]);
    let blocks = [
        vec![past(&first[0], true), past(&first[1], true), past(&first[2], false)],
        second.iter().map(|transaction| past(transaction, true)).collect(),
    ];

    let (alice, eve) = (balance(&mut point, Alice), balance(&mut point, Eve));
    let verdicts = point.read(|| {
        let verdicts = rehearse_recovery(vec![], &blocks);
        let two: AccountId = Two.to_account_id();
        assert_eq!(Balances::balance(&two), 0, "it was never paid");
        // What they signed cannot be sent in again, though nobody knew them: what fell, and
        // what had failed.
        assert_eq!(System::account_nonce(One.to_account_id()), 2);
        assert_eq!(System::account_nonce(two), 1);
        verdicts
    });
    let unpaid = || Verdict::Fell(Fall::Refused(InvalidTransaction::Payment.into()));
    assert_eq!(verdicts[0], [unpaid(), Verdict::Holds, Verdict::HadFailed]);
    assert_eq!(verdicts[1], [unpaid(), Verdict::Holds, Verdict::Holds]);
    // What holds is in force, with its fee.
    let coins = |chain: &mut Chain| [balance(chain, Alice), balance(chain, Eve)];
    let [alice_after, eve_after] = coins(&mut point);
    assert!(alice_after < alice - COIN && alice_after > alice - 2 * COIN);
    assert!(eve_after < eve - COIN && eve_after > eve - 2 * COIN);
    assert_eq!(balance(&mut point, One), 2 * COIN, "the one payment that stands on nothing else");
}

#[test]
fn p20_with_all_coins_again_every_transaction_holds() {
    let (mut point, mut chain) = chains();
    let paid = chain.sign(One, 0, 3, transfer(Two, 4 * COIN));
    let (_, applied) = chain.grow(vec![paid.clone()]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let handed_on = chain.sign(Two, 0, 0, transfer(Eve, COIN));
    let (_, applied) = chain.grow(vec![handed_on.clone()]);
    assert_eq!(applied, [Ok(Ok(()))]);

    let blocks = [vec![past(&paid, true)], vec![past(&handed_on, true)]];
    let verdicts = point.read(|| rehearse_recovery(vec![(One.to_account_id(), MINTED)], &blocks));
    assert_eq!(verdicts, [[Verdict::Holds], [Verdict::Holds]]);
    for who in [One, Two, Eve] {
        assert_eq!(balance(&mut point, who), balance(&mut chain, who), "{who:?}");
    }
}

#[test]
fn what_nobody_signed_or_can_read_falls() {
    let mut point = Chain::of("regtest");
    point.grow(vec![]);
    let bare = UncheckedExtrinsic::new_bare(remark(1));
    let junk = Past { transaction: vec![1, 2, 3], outcome: Outcome::Succeeded };
    let blocks = [vec![past(&bare, true), junk]];
    let verdicts = point.read(|| rehearse_recovery(vec![], &blocks));
    let unreadable = || Verdict::Fell(Fall::Unreadable);
    assert_eq!(verdicts, [[unreadable(), unreadable()]]);
}

/// The state of a chain, as its database has it.
struct Raw;

impl State for Raw {
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        sp_io::storage::next_key(after)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        sp_io::storage::get(key).map(|value| value.to_vec())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        sp_io::storage::set(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        sp_io::storage::clear(key);
    }
}

/// Keys and values of a state, by key.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

pub fn entries(chain: &mut Chain) -> Entries {
    chain.read(|| {
        let (mut all, mut last) = (Entries::new(), Vec::new());
        while let Some(key) = Raw.next_key(&last) {
            let value = Raw.get(&key).expect("a key has a value");
            all.push((key.clone(), value));
            last = key;
        }
        all
    })
}

/// The root of a state, and all nodes of its trie.
pub fn trie(entries: &Entries) -> (H256, StorageProof) {
    let mut nodes = MemoryDB::<BlakeTwo256>::default();
    let mut root = H256::default();
    {
        let mut trie =
            TrieDBMutBuilder::<LayoutV1<BlakeTwo256>>::new(&mut nodes, &mut root).build();
        for (key, value) in entries {
            trie.insert(key, value).expect("a trie in memory takes everything");
        }
    }
    (root, StorageProof::new(nodes.drain().into_iter().map(|(_, (node, _))| node)))
}

#[test]
fn p20_users_money_is_brought_back_by_pages_that_a_past_header_proves() {
    let (mut point, mut chain) = chains();
    for nonce in 0..3 {
        let payment = chain.sign(One, nonce, 0, transfer(Two, COIN));
        let (_, applied) = chain.grow(vec![payment]);
        assert_eq!(applied, [Ok(Ok(()))]);
    }
    let payment = chain.sign(Two, 0, 0, transfer(Alice, COIN));
    chain.grow(vec![payment]);

    let (old, now) = (entries(&mut point), entries(&mut chain));
    let (root, proof) = trie(&old);
    assert_eq!(root, point.head.state_root, "the header commits to what pages are made of");
    let accounts = storage_prefix(b"System", b"Account").to_vec();
    let parts = [accounts, sp_io::hashing::twox_128(b"Balances").to_vec()];
    let mut cursor = Cursor::default();
    while let Some(part) = cursor.due(&parts) {
        let page = read_page(&root, &proof, part, cursor.after.as_deref()).expect("all is there");
        let looked_at = chain.read(|| restore(&mut Raw, &parts, &mut cursor, &page, 3));
        assert!(looked_at.is_ok_and(|count| count <= 3));
    }
    let goes_back = |key: &Vec<u8>| parts.iter().any(|part| key.starts_with(part));
    let (back, stays): (Entries, Entries) =
        entries(&mut chain).into_iter().partition(|(key, _)| goes_back(key));
    let old: Entries = old.into_iter().filter(|(key, _)| goes_back(key)).collect();
    assert_eq!(back, old);
    let now: Entries = now.into_iter().filter(|(key, _)| !goes_back(key)).collect();
    assert_eq!(stays, now);
    assert_eq!((balance(&mut chain, One), balance(&mut chain, Two)), (0, 0));
}
