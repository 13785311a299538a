//! What a transaction is charged, with and without the discount (R18.5).

use crate::{mock::*, ChargeFees};
use cascoin_l2_primitives::chain::Balance;
use codec::{Decode, Encode};
use frame_support::{
    dispatch::{Pays, PostDispatchInfo},
    weights::Weight,
};
use pallet_transaction_payment::{ChargeTransactionPayment, Event as PaymentEvent};
use proptest::prelude::*;
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

const TRUSTED: u8 = OTHER_PAYER;

/// In a block, where [`PAYER`] has no discount and [`TRUSTED`] has it.
fn in_block(test: impl FnOnce()) {
    new_test_ext(2).execute_with(|| {
        Scores::mutate(|scores| {
            scores.insert(PAYER, DISCOUNT_SCORE);
            scores.insert(TRUSTED, DISCOUNT_SCORE + 1);
        });
        begin_block(Some(1), None);
        test();
    });
}

fn paid(who: u8) -> Balance {
    RICHES - balance(who)
}

/// What the payment pallet says was paid: fee with tip, and tip.
fn told(who: u8) -> Vec<(Balance, Balance)> {
    System::read_events_for_pallet::<PaymentEvent<Test>>()
        .into_iter()
        .filter_map(|event| match event {
            PaymentEvent::TransactionFeePaid { who: payer, actual_fee, tip } => {
                (payer == account(who)).then_some((actual_fee, tip))
            }
            _ => None,
        })
        .collect()
}

fn collected() -> (Balance, Balance) {
    let fees = crate::pallet::InBlock::<Test>::get();
    (fees.base_fees, fees.tips)
}

#[test]
fn r18_5_a_score_above_the_threshold_pays_half_the_base_fee_and_the_whole_tip() {
    for (who, fee) in [(PAYER, MIN_FEE + 61 + 300), (TRUSTED, 231)] {
        in_block(|| {
            transact(who, 300, 300, 61, 40).expect("it can pay");
            assert_eq!(paid(who), fee + 40);
            assert_eq!(told(who), [(fee + 40, 40)]);
            assert_eq!(collected(), (fee, 40));
        });
    }
}

#[test]
fn r18_5_the_refund_is_halved_as_the_fee_was() {
    for (who, fee) in [(PAYER, MIN_FEE + 61 + 10), (TRUSTED, 86)] {
        in_block(|| {
            transact(who, 5_000, 10, 61, 3).expect("it can pay");
            assert_eq!((paid(who), told(who)), (fee + 3, vec![(fee + 3, 3)]));
            assert_eq!(collected(), (fee, 3));
        });
    }
}

/// R25.6: who compensates fees hears of what is paid in the end, and of no tip.
#[test]
fn r25_6_the_base_fee_that_was_paid_is_told_of() {
    in_block(|| {
        for who in [PAYER, TRUSTED] {
            transact(who, 5_000, 10, 61, 3).expect("it can pay");
        }
        let free = |_| Ok(PostDispatchInfo { pays_fee: Pays::No, ..Default::default() });
        let origin = RuntimeOrigin::signed(account(PAYER));
        let freed = ChargeFees::<Test>::from(0).test_run(origin, &remark(), &info(9), 9, 0, free);
        assert!(matches!(freed, Ok(Ok(_))));
        let fee = MIN_FEE + 61 + 10;
        let told = [(PAYER, fee), (TRUSTED, fee.div_ceil(2)), (PAYER, 0)];
        assert_eq!(Told::get(), told.map(|(who, fee)| (account(who), fee)));
    });
}

/// Decided once: a transaction that changes its signer's score changes nothing.
#[test]
fn a_score_that_changes_meanwhile_changes_nothing() {
    for (who, score, fee) in [(PAYER, 100, MIN_FEE + 100), (TRUSTED, 0, 100)] {
        in_block(|| {
            let result = ChargeFees::<Test>::from(0).test_run(
                RuntimeOrigin::signed(account(who)),
                &remark(),
                &info(2_000),
                100,
                0,
                |_| {
                    Scores::mutate(|scores| scores.insert(who, score));
                    Ok(PostDispatchInfo {
                        actual_weight: Some(Weight::zero()),
                        ..Default::default()
                    })
                },
            );
            assert!(matches!(result, Ok(Ok(_))));
            assert_eq!((paid(who), told(who)), (fee, vec![(fee, 0)]));
        });
    }
}

/// What must be there is what will be withdrawn.
#[test]
fn r18_5_the_pool_asks_for_half_too() {
    in_block(|| {
        let fee = MIN_FEE + 100 + 1_000;
        for (seed, score) in [(90, 0), (91, DISCOUNT_SCORE + 1)] {
            Scores::mutate(|scores| scores.insert(seed, score));
            // Half, the tip, and what keeps the account alive.
            let has = fee / 2 + 5 + 1;
            let payer = RuntimeOrigin::signed(account(PAYER));
            Balances::transfer_allow_death(payer, account(seed), has).expect("it is rich");
        }
        let validate = |seed| {
            ChargeFees::<Test>::from(5).validate_only(
                RuntimeOrigin::signed(account(seed)),
                &remark(),
                &info(1_000),
                100,
                TransactionSource::External,
                0,
            )
        };
        let unpaid = TransactionValidityError::Invalid(InvalidTransaction::Payment);
        assert_eq!(validate(90).err(), Some(unpaid));
        assert!(validate(91).is_ok());
        transact(91, 1_000, 1_000, 100, 5).expect("it can pay");
        assert_eq!(balance(91), 1);
    });
}

#[test]
fn a_discount_costs_no_priority() {
    in_block(|| {
        let mut operational = info(1_000);
        operational.class = frame_support::dispatch::DispatchClass::Operational;
        for info in [info(1_000), operational] {
            let [one, other] = [PAYER, TRUSTED].map(|who| {
                let (valid, ..) = ChargeFees::<Test>::from(5)
                    .validate_only(
                        RuntimeOrigin::signed(account(who)),
                        &remark(),
                        &info,
                        100,
                        TransactionSource::External,
                        0,
                    )
                    .expect("it can pay");
                valid.priority
            });
            assert_eq!(one, other);
        }
    });
}

#[test]
fn what_is_free_stays_free_and_nobody_pays_for_what_nobody_signed() {
    in_block(|| {
        let free = |_| Ok(PostDispatchInfo { pays_fee: Pays::No, actual_weight: None });
        for who in [PAYER, TRUSTED] {
            ChargeFees::<Test>::from(9)
                .test_run(RuntimeOrigin::signed(account(who)), &remark(), &info(700), 100, 0, free)
                .expect("it can pay")
                .expect("the dispatch succeeds");
            assert_eq!((paid(who), told(who)), (9, vec![(9, 9)]), "only its tip");
        }
        // As a call that carries its own authorisation.
        ChargeFees::<Test>::from(9)
            .test_run(RuntimeOrigin::root(), &remark(), &info(700), 100, 0, |_| Ok(().into()))
            .expect("nobody has to pay")
            .expect("the dispatch succeeds");
        assert_eq!(collected(), (0, 2 * 9));
    });
}

/// Wallets know the payment pallet's extension, and this is it.
#[test]
fn on_the_wire_and_in_the_metadata_it_is_the_extension_that_wallets_know() {
    type Known = ChargeTransactionPayment<Test>;
    for tip in [0, 1, 63, 64, 1 << 14, 1 << 30, u128::MAX] {
        let (ours, known) = (ChargeFees::<Test>::from(tip), Known::from(tip));
        assert_eq!(ours.encode(), known.encode());
        assert_eq!(ChargeFees::<Test>::decode(&mut &known.encode()[..]), Ok(ours.clone()));
        assert_eq!(format!("{ours:?}"), format!("{known:?}"));
    }
    let ours = <ChargeFees<Test> as TransactionExtension<RuntimeCall>>::metadata();
    let known = <Known as TransactionExtension<RuntimeCall>>::metadata();
    for (ours, known) in ours.into_iter().zip(known) {
        assert_eq!(ours.identifier, known.identifier);
        assert_eq!((ours.ty, ours.implicit), (known.ty, known.implicit));
    }
    assert_eq!(ChargeFees::<Test>::type_info(), Known::type_info());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// R18.5: the fee that is withdrawn, what it is corrected to and the event agree,
    /// and are half of what somebody without the discount pays, rounded up.
    #[test]
    fn r18_5_half_of_any_fee_whatever_the_price(
        declared in 0..2_000u64,
        unused in 0..2_000u64,
        len in 0..3_000u32,
        tip in 0..1u128 << 60,
        price in 1..5_000_000u128,
    ) {
        in_block(|| {
            use sp_runtime::FixedPointNumber;
            set_price(pallet_transaction_payment::Multiplier::saturating_from_rational(
                price + 1_000, 1_000u128,
            ));
            let actual = declared.saturating_sub(unused);
            for who in [PAYER, TRUSTED] {
                transact(who, declared, actual, len, tip).expect("it can pay");
            }
            let full = TransactionPayment::compute_fee(len, &info(actual), 0);
            assert_eq!(paid(PAYER), full + tip);
            assert_eq!(paid(TRUSTED), full.div_ceil(2) + tip);
            assert_eq!(told(TRUSTED), [(paid(TRUSTED), tip)]);
            assert_eq!(collected(), (full + full.div_ceil(2), 2 * tip));
            assert!(full.div_ceil(2) >= 1);
        });
    }
}
