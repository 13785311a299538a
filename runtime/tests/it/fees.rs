//! What a transaction costs and who gets it.

use crate::chain::{preset, transfer, Chain};
use cascoin_l2_runtime::{
    AccountId, Balance, Balances, FeesToAuthor, RuntimeCall, TransactionPayment, WeightToFee,
    INCLUDED_LENGTH, INCLUDED_REF_TIME,
};
use frame_support::{
    dispatch::DispatchInfo,
    traits::{
        fungible::{Balanced, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        OnUnbalanced,
    },
    weights::{Weight, WeightToFee as _},
};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

const TRANSFERRED: Balance = 12_345;

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn min_fee() -> Balance {
    preset("regtest").chain_parameters.parameters.min_fee
}

/// Who makes the next block.
fn next_author(chain: &Chain) -> Sr25519Keyring {
    [Alice, Bob, Charlie, Dave][((chain.time + 500) % 4) as usize]
}

#[test]
fn a_transfer_costs_the_minimum_and_the_author_gets_it_with_the_tip() {
    for tip in [0, 777] {
        let mut chain = Chain::of("regtest");
        let transaction = chain.sign(Eve, 0, tip, transfer(Ferdie, TRANSFERRED));
        let author = next_author(&chain);
        let before = [author, Eve, Ferdie].map(|who| balance(&mut chain, who));
        let issuance = chain.read(Balances::total_issuance);

        let (_, applied) = chain.grow(vec![transaction]);

        assert_eq!(applied, [Ok(Ok(()))]);
        let paid = min_fee() + tip;
        assert_eq!(balance(&mut chain, Eve), before[1] - TRANSFERRED - paid);
        assert_eq!(balance(&mut chain, Ferdie), before[2] + TRANSFERRED);
        assert_eq!(balance(&mut chain, author), before[0] + paid);
        assert_eq!(chain.read(Balances::total_issuance), issuance);
    }
}

#[test]
fn a_transaction_that_fails_pays_too() {
    let mut chain = Chain::of("regtest");
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, Balance::MAX / 2));
    let before = balance(&mut chain, Eve);
    let (_, applied) = chain.grow(vec![transaction]);
    assert!(matches!(applied[..], [Ok(Err(_))]), "{applied:?}");
    assert_eq!(balance(&mut chain, Eve), before - min_fee());
}

#[test]
fn who_cannot_pay_is_not_let_in() {
    let mut chain = Chain::of("regtest");
    let transaction = chain.sign(Sr25519Keyring::One, 0, 0, transfer(Ferdie, 1));
    let (block, applied) = chain.grow(vec![transaction]);
    assert!(applied[0].is_err());
    assert_eq!(block.extrinsics.len(), 2, "only the inherents");
}

#[test]
fn length_and_time_beyond_what_is_included_cost_extra() {
    let mut chain = Chain::of("regtest");
    let remark =
        |bytes: usize| RuntimeCall::System(frame_system::Call::remark { remark: vec![7; bytes] });
    let short = chain.sign(Eve, 0, 0, remark(16));
    let long = chain.sign(Ferdie, 0, 0, remark(10 * INCLUDED_LENGTH as usize));
    let before = [Eve, Ferdie].map(|who| balance(&mut chain, who));
    chain.grow(vec![short, long]);
    assert_eq!(before[0] - balance(&mut chain, Eve), min_fee());
    assert!(before[1] - balance(&mut chain, Ferdie) > 9 * min_fee());
    chain.read(|| {
        let twice = Weight::from_parts(2 * INCLUDED_REF_TIME, 0);
        assert_eq!(WeightToFee::weight_to_fee(&twice), min_fee());
    });
}

#[test]
fn without_an_author_fees_are_burned() {
    let mut chain = Chain::of("regtest");
    chain.read(|| {
        let issuance = Balances::total_issuance();
        let credit = <Balances as Balanced<AccountId>>::withdraw(
            &Eve.to_account_id(),
            1_000,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        )
        .expect("Eve has it");
        FeesToAuthor::on_unbalanced(credit);
        assert_eq!(Balances::total_issuance(), issuance - 1_000);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// O8, and a tip or more work never makes a transaction cheaper.
    #[test]
    fn a_fee_is_at_least_the_minimum(
        length in 0u32..=5 << 20,
        ref_time in 0u64..=300_000_000_000,
        tip in 0u128..1 << 60,
    ) {
        let mut chain = Chain::of("regtest");
        let info = |ref_time| DispatchInfo {
            call_weight: Weight::from_parts(ref_time, 0),
            ..Default::default()
        };
        let (fee, with_more) = chain.read(|| {
            (
                TransactionPayment::compute_fee(length, &info(ref_time), tip),
                TransactionPayment::compute_fee(length + 1, &info(ref_time + 1), tip),
            )
        });
        prop_assert!(fee >= min_fee() + tip);
        prop_assert!(with_more >= fee);
    }
}
