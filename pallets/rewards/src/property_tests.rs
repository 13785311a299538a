//! The books, whatever happens in whatever order.

use crate::{
    mock::*,
    pallet::{Event, LastSettlement},
};
use cascoin_l2_primitives::{
    chain::{Balance, FeeSplit},
    rewards::Payout,
    sequencers::{Offence, OffenceKind, OnOffence},
};
use proptest::prelude::*;

/// A block and what else happens in it.
#[derive(Clone, Debug)]
struct Step {
    author: u8,
    fees: Vec<(Balance, Balance)>,
    uptimes: Vec<u16>,
    next: Option<Vec<(u8, u64)>>,
    offender: Option<u8>,
    payout: Option<(u8, Payout)>,
    claims: Vec<u8>,
}

/// Sequencers are 1 to 9; payouts may go to others too.
fn step() -> impl Strategy<Value = Step> {
    let seed = || 1..10u8;
    let amount = || prop_oneof![Just(0), 0..200u128, 0..1u128 << 70];
    let payout = prop_oneof![
        Just(Payout::Own),
        Just(Payout::Claimed),
        (1..20u8).prop_map(|seed| Payout::To(account(seed))),
    ];
    let uptime = prop_oneof![Just(1_000u16), 990..=1_000u16, 0..=1_000u16];
    let weight = prop_oneof![Just(0u64), 1..200u64, any::<u64>()];
    let members = prop::sample::subsequence((1..10u8).collect::<Vec<_>>(), 1..=9);
    let set = (members, prop::collection::vec(weight, 9))
        .prop_map(|(members, weights)| members.into_iter().zip(weights).collect::<Vec<_>>());
    (
        0..10u8,
        prop::collection::vec((amount(), amount()), 0..4),
        prop::collection::vec(uptime, 9),
        prop::option::weighted(0.05, set),
        prop::option::weighted(0.05, seed()),
        prop::option::weighted(0.2, (seed(), payout)),
        prop::collection::vec(seed(), 0..3),
    )
        .prop_map(|(author, fees, uptimes, next, offender, payout, claims)| Step {
            author,
            fees,
            uptimes,
            next,
            offender,
            payout,
            claims,
        })
}

/// What somebody has outside the pot.
fn outside() -> Balance {
    (1..20).map(balance).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// P18: of each block's fees the producer's part, the others' part and what is
    /// burned are what was collected, and the issuance falls by that and by what a
    /// settlement withholds. And at
    /// any time the pot holds what is owed, the bonus pool and what is not settled yet
    /// (`end_block` checks that), and all that was ever collected is there or was paid.
    #[test]
    fn p18_fees_are_split_exactly_and_no_unit_is_lost(
        first in 1..6u8,
        session in 0..7u32,
        producer in 0..=100u8,
        others in 0..=100u8,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        new_test_ext(first).execute_with(|| {
            SessionBlocks::set(session);
            Split::set(FeeSplit { producer, others: others.min(100 - producer) });
            let mut collected_ever = 0;
            let mut burned_ever = 0;
            for step in steps {
                let issuance = Balances::total_issuance();
                let pot = balance_of(&Rewards::pot());
                let paid_before = outside();
                begin_block(Some(step.author), step.next);
                judge(Some(step.uptimes));
                let collected: Balance = step.fees.iter().map(|(fee, tip)| fee + tip).sum();
                let tips: Balance = step.fees.iter().map(|(_, tip)| tip).sum();
                for (base_fee, tip) in step.fees {
                    pay(base_fee, tip);
                }
                if let Some(seed) = step.offender {
                    let offender = account(seed);
                    let kind = OffenceKind::Offline;
                    Rewards::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
                }
                if let Some((seed, payout)) = step.payout {
                    let _ = Rewards::set_payout(RuntimeOrigin::signed(account(seed)), payout);
                }
                for seed in step.claims {
                    let owed_before = owed(seed);
                    let claimed = Rewards::claim(RuntimeOrigin::signed(account(seed)));
                    assert_eq!(claimed.is_ok(), owed_before > 0);
                    assert_eq!(owed(seed), 0);
                }
                end_block();

                let burned = issuance - Balances::total_issuance();
                let settled = events().iter().any(|one| matches!(one, Event::SessionSettled { .. }));
                let settled = LastSettlement::<Test>::get().filter(|_| settled);
                let withheld: Balance =
                    settled.iter().flat_map(|one| &one.rewards).map(|one| one.withheld).sum();
                let split = events().into_iter().find_map(|event| match event {
                    Event::FeesCollected { base_fees, tips, producer_part, burned, .. } => {
                        Some((base_fees, tips, producer_part, burned))
                    }
                    _ => None,
                });
                match split {
                    Some((base_fees, told_tips, producer_part, told_burned)) => {
                        assert_eq!((base_fees, told_tips), (collected - tips, tips));
                        assert_eq!(told_burned + withheld, burned);
                        let others_part = base_fees - producer_part - told_burned;
                        let percent = |part: Balance, of: u8| part == base_fees * u128::from(of) / 100;
                        assert!(percent(producer_part, producer));
                        assert!(percent(others_part, others.min(100 - producer)));
                    }
                    // Nothing to split, or nobody to split it for.
                    None => assert_eq!(burned, collected + withheld),
                }
                let paid = outside() - paid_before;
                assert_eq!(balance_of(&Rewards::pot()) + paid, pot + collected - burned);
                collected_ever += collected;
                burned_ever += burned;
            }
            assert_eq!(outside() + Rewards::liabilities() + burned_ever, collected_ever);
        });
    }
}
