//! The base fee follows demand, and no leader alone.

use crate::{
    mock::*,
    pallet::{Event, FullnessAverages},
    price::{
        counted, is_damped, next_multiplier, Averages, MAX_MULTIPLIER, MIN_MULTIPLIER, TARGET,
    },
    ChargeFees,
};
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, Pays, PostDispatchInfo},
    traits::Hooks,
    weights::Weight,
};
use pallet_transaction_payment::Multiplier;
use proptest::prelude::*;
use sp_runtime::{
    traits::{DispatchTransaction, TransactionExtension},
    Perbill,
};

fn times(factor: u32) -> Multiplier {
    Multiplier::from_u32(factor)
}

/// The largest price that one block may make of this one, and the smallest.
fn eighth(price: Multiplier) -> (Multiplier, Multiplier) {
    let step = price.into_inner() / 8;
    (
        Multiplier::from_inner(price.into_inner() + step),
        Multiplier::from_inner(price.into_inner() - step),
    )
}

fn told() -> Vec<Event<Test>> {
    let damped = |event: &Event<Test>| matches!(event, Event::PriceRiseDamped { .. });
    events().into_iter().filter(damped).collect()
}

#[test]
fn r18_4_half_full_blocks_leave_the_price_where_it_is() {
    new_test_ext(4).execute_with(|| {
        set_price(times(7));
        for _ in 0..50 {
            full_block(1, 50);
            assert_eq!(price(), times(7));
        }
    });
}

#[test]
fn r26_5_lasting_demand_raises_the_price_by_at_most_an_eighth_a_block() {
    new_test_ext(4).execute_with(|| {
        let mut before = price();
        assert_eq!(before, MIN_MULTIPLIER);
        for _ in 0..80 {
            full_block(1, 100);
            assert!(price() >= before && price() <= eighth(before).0);
            before = price();
        }
        assert!(before > times(50), "{before:?}");
        for _ in 0..50 {
            full_block(1, 100);
        }
        assert_eq!(price(), MAX_MULTIPLIER);
    });
}

#[test]
fn r18_4_it_falls_at_once_and_not_below_the_minimum() {
    new_test_ext(4).execute_with(|| {
        set_price(MAX_MULTIPLIER);
        set_average(Perbill::one());
        full_block(1, 0);
        assert_eq!(price(), eighth(MAX_MULTIPLIER).1, "whatever the average");
        for _ in 0..68 {
            full_block(1, 0);
        }
        assert_eq!(price(), MIN_MULTIPLIER);
        full_block(1, 0);
        assert_eq!(price(), MIN_MULTIPLIER);
        // And it is not stuck there.
        for _ in 0..3 * BLOCKS_PER_LEADER {
            full_block(1, 100);
        }
        assert!(price() > MIN_MULTIPLIER);
    });
}

/// A leader gets most of what it pays to itself back, so it could fill its own blocks.
#[test]
fn r26_4_a_leader_alone_does_not_move_the_price_and_is_named() {
    for (start, background) in [(1, 0), (40, 0), (1, 20), (40, 50)] {
        new_test_ext(4).execute_with(|| {
            set_price(times(start));
            set_average(Perbill::from_percent(background));
            let mut told_of = Vec::new();
            for _ in 0..BLOCKS_PER_LEADER {
                full_block(3, 100);
                assert_eq!(price(), times(start));
                told_of.extend(told());
            }
            let [Event::PriceRiseDamped { author, fullness, ceiling }] = &told_of[..] else {
                panic!("once a term: {told_of:?}");
            };
            assert_eq!(*author, Some(account(3)));
            let before = Perbill::from_percent(background);
            assert_eq!((*fullness, *ceiling), (Perbill::one(), before));
            if background == 0 {
                // The next leader is told of too, should it go on.
                full_block(2, 90);
                let [Event::PriceRiseDamped { author, .. }] = &told()[..] else {
                    panic!("a new term");
                };
                assert_eq!(*author, Some(account(2)));
            }
            full_block(2, 0);
            assert!(price() <= times(start));
        });
    }
}

#[test]
fn lasting_demand_is_no_reason_to_tell() {
    new_test_ext(4).execute_with(|| {
        for _ in 0..40 {
            full_block(1, 95);
        }
        for _ in 0..40 {
            full_block(1, 95);
            assert!(told().is_empty());
        }
    });
}

#[test]
fn the_scarcer_of_time_and_length_counts() {
    new_test_ext(4).execute_with(|| {
        set_average(Perbill::one());
        let used = |percent: u64, bytes: u32| {
            begin_block(Some(1), None);
            let time = Weight::from_parts(BLOCK_TIME / 4 * 3 / 100 * percent, 0);
            System::set_block_consumed_resources(time, bytes as usize);
            end_block();
        };
        let before = price();
        used(10, BLOCK_BYTES / 4 * 3);
        assert!(price() > before);
        set_price(times(9));
        used(10, BLOCK_BYTES / 4 * 3 / 10);
        assert!(price() < times(9));
    });
}

/// So much of the time that users have in a block.
fn percent_of_time(percent: u64) -> u64 {
    BLOCK_TIME / 4 * 3 / 100 * percent
}

/// A transaction that is free in the end.
fn free(origin: RuntimeOrigin, info: DispatchInfo, len: usize) {
    let free = |_| Ok(PostDispatchInfo { pays_fee: Pays::No, ..Default::default() });
    let done = ChargeFees::<Test>::from(0).test_run(origin, &remark(), &info, len, 0, free);
    assert!(matches!(done, Ok(Ok(_))));
}

fn signed() -> RuntimeOrigin {
    RuntimeOrigin::signed(account(PAYER))
}

/// The price, eight before, after a block in which users had so much of time and length,
/// what is free of it included. Blocks were full before.
fn price_after(percent: u64, bytes: u32, free: impl FnOnce()) -> Multiplier {
    new_test_ext(4).execute_with(|| {
        set_price(times(8));
        set_average(Perbill::one());
        begin_block(Some(1), None);
        free();
        let time = Weight::from_parts(percent_of_time(percent), 0);
        System::set_block_consumed_resources(time, bytes as usize);
        end_block();
        price()
    })
}

#[test]
fn r18_4_what_is_free_does_not_raise_the_price() {
    let paid = |percent| price_after(percent, 0, || ());
    let with_free = |percent, free_part| {
        price_after(percent, 0, || free(signed(), info(percent_of_time(free_part)), 0))
    };
    // It stands still in a block that claims fill, and rises by what others pay for.
    assert_eq!(with_free(100, 100), times(8));
    assert_eq!(with_free(100, 60), times(8));
    assert_eq!(with_free(100, 10), paid(90));
    assert!(paid(90) > times(8) && paid(100) > paid(90));
    // The room is taken: it falls by what is left.
    assert_eq!(with_free(30, 20), paid(30));
    assert!(paid(30) < times(8));
}

/// Also where nobody signs; and where it took none of the room that users have it changes
/// nothing.
#[test]
fn r18_4_free_transactions_count_by_class_and_not_by_signer() {
    let unsigned = |class| {
        let extension_weight = ChargeFees::<Test>::from(0).weight(&remark());
        let info = DispatchInfo { class, extension_weight, ..info(percent_of_time(60)) };
        price_after(100, 0, || free(frame_system::RawOrigin::Authorized.into(), info, 0))
    };
    assert_eq!(unsigned(DispatchClass::Normal), times(8));
    assert_eq!(unsigned(DispatchClass::Operational), price_after(100, 0, || ()));
}

#[test]
fn r18_4_the_length_of_what_is_free_does_not_raise_the_price() {
    let (full, most) = (BLOCK_BYTES / 4 * 3, BLOCK_BYTES / 4 * 3 / 10 * 6);
    let stands = price_after(0, full, || free(signed(), info(0), most as usize));
    assert_eq!(stands, times(8));
    assert!(price_after(0, full, || ()) > times(8));
}

/// The block that ends a session takes no user transactions.
#[test]
fn a_block_without_room_says_nothing_of_demand() {
    new_test_ext(4).execute_with(|| {
        set_price(times(9));
        set_average(TARGET);
        begin_block(Some(1), None);
        let all = Weight::from_parts(BLOCK_TIME, 0);
        System::register_extra_weight_unchecked(all, DispatchClass::Mandatory);
        end_block();
        assert_eq!((price(), FullnessAverages::<Test>::get().now), (times(9), TARGET));
    });
}

/// The minimum fee and the bytes are multiplied as the time is.
#[test]
fn r18_3_the_price_multiplies_the_whole_base_fee() {
    new_test_ext(4).execute_with(|| {
        let fee = || TransactionPayment::compute_fee(50, &info(300), 0);
        assert_eq!(fee(), MIN_FEE + 50 + 300);
        set_price(times(3));
        assert_eq!(fee(), 3 * (MIN_FEE + 50 + 300));
        let with_tip = TransactionPayment::compute_fee(50, &info(300), 7);
        assert_eq!(with_tip, fee() + 7, "but not the tip");
    });
}

#[test]
fn the_payment_pallet_moves_it_once_a_block() {
    new_test_ext(4).execute_with(|| {
        set_average(Perbill::one());
        begin_block(Some(1), None);
        let full = Weight::from_parts(BLOCK_TIME / 4 * 3, 0);
        System::set_block_consumed_resources(full, 0);
        TransactionPayment::on_finalize(System::block_number());
        assert_eq!(price(), eighth(MIN_MULTIPLIER).0);
        Rewards::on_finalize(System::block_number());
        assert_eq!(price(), eighth(MIN_MULTIPLIER).0);
    });
}

fn perbill() -> impl Strategy<Value = Perbill> {
    let edge = prop_oneof![Just(0u32), Just(1_000_000_000), 499_999_990..500_000_010u32];
    prop_oneof![edge, 0..=1_000_000_000u32].prop_map(Perbill::from_parts)
}

fn any_price() -> impl Strategy<Value = Multiplier> {
    let inner = MIN_MULTIPLIER.into_inner()..=MAX_MULTIPLIER.into_inner();
    prop_oneof![Just(MIN_MULTIPLIER), Just(MAX_MULTIPLIER), inner.prop_map(Multiplier::from_inner)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// R18.4, R26.5: bounds, at most an eighth either way, and in the right direction.
    #[test]
    fn r18_4_each_step_is_bounded_and_goes_the_right_way(
        price in any_price(),
        fullness in perbill(),
        average in perbill(),
    ) {
        let next = next_multiplier(price, fullness, average);
        prop_assert!((MIN_MULTIPLIER..=MAX_MULTIPLIER).contains(&next));
        let (most, least) = eighth(price);
        prop_assert!(next <= most.max(MIN_MULTIPLIER) && next >= least.min(MAX_MULTIPLIER));
        if fullness >= TARGET {
            prop_assert!(next >= price);
            prop_assert_eq!(next > price, average > TARGET && fullness > TARGET && price < MAX_MULTIPLIER);
        } else {
            prop_assert!(next <= price);
            prop_assert_eq!(next < price, price > MIN_MULTIPLIER);
        }
        // More demand never makes it cheaper.
        let more = Perbill::from_parts(fullness.deconstruct().saturating_add(1_000).min(1_000_000_000));
        prop_assert!(next_multiplier(price, more, average) >= next);
    }

    /// R18.4: free transactions never raise the price, nor lower it, and without them it
    /// is as it was.
    #[test]
    fn r18_4_free_room_moves_the_price_nowhere(
        price in any_price(), paid in perbill(), whole in perbill(), average in perbill(),
    ) {
        let (paid, whole) = (paid.min(whole), paid.max(whole));
        let next = |fullness| next_multiplier(price, fullness, average);
        let moved = next(counted(whole, paid));
        prop_assert!(moved <= price.max(next(paid)), "it rises by what is paid for");
        prop_assert!(moved >= price.min(next(whole)), "it falls by the room that is left");
        prop_assert_eq!(counted(whole, whole), whole);
    }

    #[test]
    fn the_average_lies_between_what_it_was_and_the_block(
        average in perbill(),
        fullness in perbill(),
    ) {
        let next = Averages { now: average, ..Default::default() }.after(fullness, Some(7)).now;
        let (low, high) = (average.min(fullness), average.max(fullness));
        // Rounded down, by less than one.
        prop_assert!(next.deconstruct() + 1 >= low.deconstruct() && next <= high);
    }

    /// R26.4: whatever one leader puts into its term, and however long that is, the price
    /// is not higher than before, if blocks were at most half full.
    #[test]
    fn r26_4_no_term_of_one_leader_raises_the_price(
        start in any_price(),
        before in perbill().prop_map(|one| one.min(TARGET)),
        term in prop::collection::vec(perbill(), 1..100),
    ) {
        let mut averages = Averages { now: before, ..Default::default() };
        let mut price = start;
        for fullness in term {
            averages = averages.after(fullness, Some(7));
            price = next_multiplier(price, fullness, averages.ceiling());
            prop_assert!(price <= start);
            prop_assert!(fullness <= TARGET || is_damped(fullness, averages.ceiling()));
        }
    }

    /// R26.4: nor does it in the long run, if it leads every fourth term and the others'
    /// blocks are empty.
    #[test]
    fn r26_4_leading_again_and_again_does_not_add_up(
        terms in prop::collection::vec(
            prop::collection::vec(perbill(), BLOCKS_PER_LEADER as usize),
            1..12,
        ),
        start in any_price(),
    ) {
        let (mut price, mut averages) = (start, Averages::default());
        let empty = vec![Perbill::zero(); 3 * BLOCKS_PER_LEADER as usize];
        for (turn, term) in (0u32..).zip(terms) {
            let blocks = (0..).zip(term.into_iter().chain(empty.iter().copied()));
            for (block, fullness) in blocks {
                averages = averages.after(fullness, Some(4 * turn + block / BLOCKS_PER_LEADER));
                price = next_multiplier(price, fullness, averages.ceiling());
            }
            prop_assert!(price <= start);
        }
    }

    /// R26.5: from wherever it is, full blocks bring it to the top and empty ones to the
    /// minimum: it is never stuck.
    #[test]
    fn r26_5_it_is_never_stuck(price in any_price(), average in perbill()) {
        let go = |fullness: Perbill, blocks: u32| {
            let mut averages = Averages { now: average, ..Default::default() };
            (0..blocks).fold(price, |price, block| {
                averages = averages.after(fullness, Some(block / BLOCKS_PER_LEADER));
                next_multiplier(price, fullness, averages.ceiling())
            })
        };
        prop_assert_eq!(go(Perbill::zero(), 69), MIN_MULTIPLIER);
        prop_assert_eq!(go(Perbill::one(), 110), MAX_MULTIPLIER);
    }
}
