//! What would fall, if a recovery went back to a past block.

use crate::chain::{preset, transfer, Chain};
use cascoin_l2_primitives::recovery::{Fall, Past, Verdict};
use cascoin_l2_runtime::{
    configs::rehearse_recovery, AccountId, Balances, RuntimeCall, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::traits::fungible::Inspect;
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, One, Two};
use sp_runtime::transaction_validity::InvalidTransaction;

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
    Past { transaction: transaction.encode(), succeeded }
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
    let junk = Past { transaction: vec![1, 2, 3], succeeded: true };
    let blocks = [vec![past(&bare, true), junk]];
    let verdicts = point.read(|| rehearse_recovery(vec![], &blocks));
    let unreadable = || Verdict::Fell(Fall::Unreadable);
    assert_eq!(verdicts, [[unreadable(), unreadable()]]);
}
