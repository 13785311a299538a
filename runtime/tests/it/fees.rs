//! What a transaction costs.

use crate::chain::{preset, transfer, transfers_of_weight, Chain};
use cascoin_l2_runtime::{
    AccountId, Balance, Balances, Block, BurnMint, RateLimit, Rewards, Runtime, RuntimeCall,
    System, TransactionPayment, UncheckedExtrinsic, WeightToFee, INCLUDED_LENGTH,
    INCLUDED_REF_TIME,
};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo},
    traits::fungible::Inspect,
    weights::{constants::ExtrinsicBaseWeight, Weight, WeightToFee as _},
};
use pallet_rewards::{price::Averages, FullnessAverages};
use pallet_transaction_payment::{Event, FeeDetails, Multiplier, NextFeeMultiplier};
use pallet_transaction_payment_rpc_runtime_api::runtime_decl_for_transaction_payment_api::TransactionPaymentApi;
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, Ferdie};
use sp_runtime::{FixedPointNumber, Perbill};

const TRANSFERRED: Balance = 12_345;

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn min_fee() -> Balance {
    preset("regtest").chain_parameters.parameters.min_fee
}

/// Sets what base fees are multiplied by.
fn set_price(chain: &mut Chain, price: Multiplier) {
    chain.read(|| NextFeeMultiplier::<Runtime>::put(price));
    chain.ext.commit_all().expect("changes can be committed");
}

fn remark(bytes: usize) -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![7; bytes] })
}

#[test]
fn r18_1_a_transfer_costs_the_minimum_and_what_is_not_burned_waits_for_the_sequencers() {
    for tip in [0, 777] {
        let mut chain = Chain::of("regtest");
        let transaction = chain.sign(Eve, 0, tip, transfer(Ferdie, TRANSFERRED));
        let before = [Eve, Ferdie].map(|who| balance(&mut chain, who));
        let issuance = chain.read(Balances::total_issuance);

        let (_, applied) = chain.grow(vec![transaction]);

        assert_eq!(applied, [Ok(Ok(()))]);
        assert_eq!(balance(&mut chain, Eve), before[0] - TRANSFERRED - min_fee() - tip);
        assert_eq!(balance(&mut chain, Ferdie), before[1] + TRANSFERRED);
        let burned = min_fee() / 10;
        let supply = chain.read(BurnMint::supply);
        assert!(supply.valid);
        assert_eq!((supply.issuance, supply.burned_on_l2), (issuance - burned, burned));
        // The check of the supply has seen it in the block it was burned in.
        let noted = chain.read(pallet_burn_mint::LastIssuance::<Runtime>::get);
        assert_eq!(noted, supply.issuance);
        let pot = chain.read(|| Balances::balance(&Rewards::pot()));
        assert_eq!(pot, min_fee() - burned + tip);
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

/// Whatever weights are in force: if they grow beyond it, what the minimum includes has to
/// grow with them.
#[test]
fn r18_1_the_minimum_includes_the_time_of_a_transfer() {
    let mut chain = Chain::of("regtest");
    let info = chain.sign(Eve, 0, 0, transfer(Ferdie, 1)).get_dispatch_info();
    let time = info.total_weight().ref_time();
    assert!(time <= INCLUDED_REF_TIME, "{time} of {INCLUDED_REF_TIME}");
}

/// The payment pallet does not multiply what it takes for each transaction besides its
/// call, nor the length: the one is free here, and the other multiplies itself.
#[test]
fn r18_3_the_price_multiplies_the_whole_base_fee() {
    assert!(ExtrinsicBaseWeight::get().ref_time() <= INCLUDED_REF_TIME);
    let mut chain = Chain::of("regtest");
    let info = DispatchInfo {
        call_weight: Weight::from_parts(3 * INCLUDED_REF_TIME, 0),
        ..Default::default()
    };
    let mut fee = |tip| chain.read(|| TransactionPayment::compute_fee(5_000, &info, tip));
    let single = fee(0);
    assert!(single > 10 * min_fee());
    set_price(&mut chain, Multiplier::from_u32(3));
    let mut fee = |tip| chain.read(|| TransactionPayment::compute_fee(5_000, &info, tip));
    assert_eq!(fee(0), 3 * single);
    assert_eq!(fee(99), 3 * single + 99, "the tip is as it was named");
}

/// As Polkadot.js asks, with the whole transaction: it shows what will be paid.
fn asked(chain: &mut Chain, transaction: &UncheckedExtrinsic) -> (Balance, FeeDetails<Balance>) {
    type Api = Runtime;
    let len = transaction.encoded_size() as u32;
    chain.read(|| {
        let info =
            <Api as TransactionPaymentApi<Block, Balance>>::query_info(transaction.clone(), len);
        let details = <Api as TransactionPaymentApi<Block, Balance>>::query_fee_details(
            transaction.clone(),
            len,
        );
        (info.partial_fee, details)
    })
}

#[test]
fn wallets_are_told_the_fee_that_is_charged() {
    for price in [Multiplier::from_u32(1), Multiplier::saturating_from_rational(17, 7)] {
        let mut chain = Chain::of("regtest");
        for (nonce, call) in [transfer(Ferdie, 5), remark(3_000)].into_iter().enumerate() {
            let sent = if nonce == 0 { 5 } else { 0 };
            // Who has no reputation, and a sequencer of development, which has a lot.
            let fees = [Eve, Alice].map(|who| {
                set_price(&mut chain, price);
                let transaction = chain.sign(who, nonce as u32, 40, call.clone());
                let (shown, details) = asked(&mut chain, &transaction);
                assert_eq!(details.final_fee(), shown, "neither has the tip");
                let before = balance(&mut chain, who);
                chain.grow(vec![transaction]);
                let events = chain.read(System::read_events_for_pallet::<Event<Runtime>>);
                let (who, paid) = (who.to_account_id(), shown + 40);
                let told = Event::TransactionFeePaid { who, actual_fee: paid, tip: 40 };
                assert_eq!(events, [told]);
                (shown, before, paid)
            });
            for (who, (_, before, paid)) in [Eve, Alice].into_iter().zip(fees) {
                assert_eq!(before - balance(&mut chain, who), paid + sent);
            }
            // R18.5: half, rounded up.
            assert_eq!(fees[1].0, fees[0].0.div_ceil(2));
        }
        let free = chain.participation();
        assert_eq!(asked(&mut chain, &free).0, 0, "nobody signs it");
    }
}

/// A block is full when users have had the chain's own gas, however much more the
/// runtime is made for.
#[test]
fn r26_5_full_blocks_raise_the_price_where_blocks_are_small() {
    let mut chain = Chain::of("regtest");
    chain.read(|| {
        FullnessAverages::<Runtime>::put(Averages { now: Perbill::one(), ..Default::default() });
    });
    chain.ext.commit_all().expect("changes can be committed");
    let call = transfers_of_weight(chain.read(RateLimit::users_share) / 30);
    let transactions = (0..40).map(|nonce| chain.sign(Eve, nonce, 0, call.clone())).collect();
    let (_, applied) = chain.grow(transactions);
    let fit = applied.iter().filter(|one| **one == Ok(Ok(()))).count();
    assert!((1..40).contains(&fit), "{fit} filled it");
    let price = chain.read(TransactionPayment::next_fee_multiplier);
    assert!(price > Multiplier::saturating_from_rational(11, 10), "{price:?}");
}

/// What nobody pays for in the end, as root's calls and claims after an outage, fills blocks
/// and leaves the price to others.
#[test]
fn r18_4_free_transactions_do_not_raise_the_price() {
    let mut chain = Chain::of("regtest");
    chain.read(|| {
        FullnessAverages::<Runtime>::put(Averages { now: Perbill::one(), ..Default::default() });
    });
    set_price(&mut chain, Multiplier::from_u32(8));
    let call = Box::new(transfers_of_weight(chain.read(RateLimit::users_share) / 30));
    let call = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
    let before = balance(&mut chain, Alice);
    let transactions = (0..40).map(|nonce| chain.sign(Alice, nonce, 0, call.clone())).collect();
    let (_, applied) = chain.grow(transactions);
    let fit = applied.iter().filter(|one| **one == Ok(Ok(()))).count();
    assert!((20..40).contains(&fit), "{fit} filled it");
    assert_eq!(balance(&mut chain, Alice), before, "they are free");
    assert_eq!(chain.read(TransactionPayment::next_fee_multiplier), Multiplier::from_u32(8));
}

/// R18.4, through the whole runtime: empty blocks bring the price down to the minimum.
#[test]
fn r18_4_the_price_falls_with_empty_blocks() {
    let mut chain = Chain::of("regtest");
    set_price(&mut chain, Multiplier::from_u32(8));
    chain.grow(vec![]);
    let after = chain.read(TransactionPayment::next_fee_multiplier);
    assert!(after < Multiplier::from_u32(8) && after >= Multiplier::from_u32(7), "{after:?}");
    for _ in 0..20 {
        chain.grow(vec![]);
    }
    assert_eq!(chain.read(TransactionPayment::next_fee_multiplier), Multiplier::from_u32(1));
}

/// The block that ends a session has no room for users, which is no lack of demand.
#[test]
fn the_end_of_a_session_leaves_the_price_as_it_is() {
    let mut chain = Chain::of("regtest");
    while chain.head.number < 59 {
        chain.grow(vec![]);
    }
    set_price(&mut chain, Multiplier::from_u32(8));
    chain.grow(vec![]);
    assert_eq!(chain.read(TransactionPayment::next_fee_multiplier), Multiplier::from_u32(8));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// O8, and a tip, more work or a higher price never makes a transaction cheaper.
    #[test]
    fn a_fee_is_at_least_the_minimum(
        length in 0u32..=5 << 20,
        ref_time in 0u64..=300_000_000_000,
        tip in 0u128..1 << 60,
        price in 1_000u128..1_000_000_000,
    ) {
        let mut chain = Chain::of("regtest");
        let info = |ref_time| DispatchInfo {
            call_weight: Weight::from_parts(ref_time, 0),
            ..Default::default()
        };
        let mut fees = |price: u128| {
            set_price(&mut chain, Multiplier::saturating_from_rational(price, 1_000u128));
            chain.read(|| {
                (
                    TransactionPayment::compute_fee(length, &info(ref_time), tip),
                    TransactionPayment::compute_fee(length + 1, &info(ref_time + 1), tip),
                )
            })
        };
        let (fee, with_more) = fees(price);
        prop_assert!(fee >= min_fee() + tip);
        prop_assert!(with_more >= fee);
        prop_assert!(fees(price + 1).0 >= fee);
    }
}
