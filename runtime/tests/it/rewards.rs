//! What sequencers earn, in real blocks: over sessions, absences and changes of the set.

use crate::chain::{transfer, Chain};
use cascoin_l2_primitives::{
    apis::runtime_decl_for_rewards_api::RewardsApi,
    rewards::{Payout, RewardsReport},
};
use cascoin_l2_runtime::{
    AccountId, Balance, Balances, BurnMint, Rewards, Runtime, RuntimeCall, System,
};
use frame_support::traits::fungible::Inspect;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

/// Blocks of a session of the `regtest` preset.
const SESSION: u32 = 60;
const MIN_FEE: Balance = 1_000;
const TIP: Balance = 77;

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn report(chain: &mut Chain, who: Option<Sr25519Keyring>) -> RewardsReport {
    let account = who.map(|who| who.to_account_id());
    chain.read(|| Runtime::rewards(account))
}

/// Whether what is in the pot is what the report answers for, after a settlement: owed
/// to the four and in the bonus pool.
fn pot_is_owed(chain: &mut Chain) {
    let mut answered = report(chain, None).bonus_pool;
    for who in [Alice, Bob, Charlie, Dave] {
        answered += report(chain, Some(who)).sequencers[0].owed;
    }
    assert_eq!(chain.read(|| Balances::balance(&Rewards::pot())), answered);
}

fn grow_to(chain: &mut Chain, number: u32) {
    while chain.head.number < number {
        chain.grow(vec![]);
    }
}

/// A chain whose second block has a transfer of Eve's with a tip; all blocks are
/// Alice's, as their times fall.
fn with_a_transfer() -> Chain {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let transaction = chain.sign(Eve, 0, TIP, transfer(Ferdie, 5));
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
    chain
}

#[test]
fn r18_2_a_session_is_paid_with_the_first_block_of_the_next() {
    let mut chain = with_a_transfer();
    let before = [Alice, Bob, Charlie, Dave].map(|who| balance(&mut chain, who));
    let running = report(&mut chain, Some(Alice)).sequencers[0].running.expect("in the set");
    assert_eq!((running.blocks, running.base_fees, running.tips), (2, MIN_FEE, TIP));
    assert_eq!((running.producer_part, running.others_part), (700, 200));
    grow_to(&mut chain, SESSION);
    let at_its_end = [Alice, Bob, Charlie, Dave].map(|who| balance(&mut chain, who));
    assert_eq!(at_its_end, before);

    chain.grow(vec![]);
    // 700 and the tip; 180 for three others; 20 for four who were there.
    let paid = [700 + TIP + 5, 60 + 5, 60 + 5, 60 + 5];
    let after = [Alice, Bob, Charlie, Dave].map(|who| balance(&mut chain, who));
    for (index, amount) in paid.into_iter().enumerate() {
        assert_eq!(after[index] - before[index], amount);
    }
    let told = chain.read(System::read_events_for_pallet::<pallet_rewards::Event<Runtime>>);
    let settled =
        pallet_rewards::Event::SessionSettled { set_id: 0, last_block: SESSION, bonus_pool: 0 };
    assert_eq!(told[0], settled);
    assert_eq!(told.len(), 1 + 2 * 4, "rewarded and paid");
    pot_is_owed(&mut chain);

    // And nothing after it.
    grow_to(&mut chain, 3 * SESSION + 1);
    let later = [Alice, Bob, Charlie, Dave].map(|who| balance(&mut chain, who));
    assert_eq!(later, after);
    assert!(chain.read(BurnMint::supply).valid);
}

#[test]
fn r38_4_who_was_offline_gets_half_for_that_session_and_a_day() {
    let mut chain = with_a_transfer();
    chain.absent = vec![3];
    let before = balance(&mut chain, Dave);
    grow_to(&mut chain, SESSION + 1);
    let dave = report(&mut chain, Some(Dave)).sequencers.remove(0);
    // 24 hours of 100 ms.
    assert_eq!(dave.penalised_until, Some(SESSION + 1 + 864_000));
    let settled = dave.settled.expect("it was in the set");
    assert!(settled.penalised);
    // It signed one of 60 blocks.
    assert_eq!((settled.uptime_permille, settled.bonus), (16, 0));
    assert_eq!((settled.share, settled.withheld, settled.amount), (60, 30, 30));
    assert_eq!(balance(&mut chain, Dave) - before, 30);
    // Three of four shares of the 20 are paid. What was withheld is burned.
    assert_eq!(report(&mut chain, None).bonus_pool, 5);
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert_eq!(supply.burned_on_l2, MIN_FEE / 10 + 30);
    pot_is_owed(&mut chain);
}

/// R38.3: what is left of the bonus is for those who are there afterwards.
#[test]
fn r38_3_the_bonus_pool_is_for_who_was_there() {
    let mut chain = with_a_transfer();
    chain.absent = vec![3];
    grow_to(&mut chain, SESSION + 1);
    assert_eq!(report(&mut chain, None).bonus_pool, 5);
    chain.absent = vec![];
    let before = [Alice, Bob, Charlie, Dave].map(|who| balance(&mut chain, who));
    grow_to(&mut chain, 2 * SESSION + 1);
    // A quarter of 5 each. Half of Dave's is withheld, which of one unit is none.
    for (index, who) in [Alice, Bob, Charlie, Dave].into_iter().enumerate() {
        assert_eq!(balance(&mut chain, who) - before[index], 1, "{who}");
    }
    assert_eq!(report(&mut chain, None).bonus_pool, 1);
    pot_is_owed(&mut chain);
}

#[test]
fn r38_5_rewards_go_where_the_sequencer_wants_them() {
    let mut chain = with_a_transfer();
    let set_payout = |payout| RuntimeCall::Rewards(pallet_rewards::Call::set_payout { payout });
    let to_ferdie = set_payout(Payout::To(Ferdie.to_account_id()));
    let transactions = vec![
        chain.sign(Bob, 0, 0, to_ferdie.clone()),
        chain.sign(Charlie, 0, 0, set_payout(Payout::Claimed)),
        chain.sign(Eve, 1, 0, to_ferdie),
    ];
    let applied = chain.grow(transactions).1;
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(matches!(applied[2], Ok(Err(_))), "Eve is no sequencer");
    let before = [Bob, Charlie, Ferdie].map(|who| balance(&mut chain, who));
    grow_to(&mut chain, SESSION + 1);

    // Two transactions of 1,000 and two of half that, by sequencers' reputation: 540 for
    // three others, 60 for four who were there.
    let reward = 180 + 15;
    assert_eq!(balance(&mut chain, Bob), before[0]);
    assert_eq!(balance(&mut chain, Charlie), before[1]);
    assert_eq!(balance(&mut chain, Ferdie), before[2] + reward);
    let charlie = report(&mut chain, Some(Charlie)).sequencers.remove(0);
    assert_eq!((charlie.owed, charlie.paid, charlie.payout), (reward, 0, Payout::Claimed));
    pot_is_owed(&mut chain);

    let claim = || RuntimeCall::Rewards(pallet_rewards::Call::claim {});
    let claims = vec![chain.sign(Charlie, 1, 0, claim()), chain.sign(Charlie, 2, 0, claim())];
    let applied = chain.grow(claims).1;
    assert_eq!(applied[0], Ok(Ok(())));
    assert!(matches!(applied[1], Ok(Err(_))), "nothing is left");
    let fees: Balance = chain.read(|| {
        let paid = System::read_events_for_pallet::<pallet_transaction_payment::Event<Runtime>>();
        paid.into_iter()
            .map(|event| match event {
                pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. } => {
                    actual_fee
                }
                _ => 0,
            })
            .sum()
    });
    assert_eq!(balance(&mut chain, Charlie), before[1] + reward - fees);
    assert_eq!(report(&mut chain, Some(Charlie)).sequencers[0].paid, reward);
}

/// The set that made the blocks is paid, though another one is in force by then.
#[test]
fn a_sequencer_that_leaves_is_paid_for_its_last_session() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let account = Dave.to_account_id();
    let call = pallet_sequencer_registry::Call::remove_member { account };
    let call = Box::new(RuntimeCall::SequencerRegistry(call));
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
    let transaction = chain.sign(Alice, 0, 0, sudo);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
    grow_to(&mut chain, SESSION + 5);
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 5));
    chain.grow(vec![transaction]);
    grow_to(&mut chain, 2 * SESSION);
    let before = [Bob, Dave].map(|who| balance(&mut chain, who));
    chain.grow(vec![]);

    let report = report(&mut chain, None);
    assert_eq!(report.last_session.map(|last| (last.set_id, last.last_block)), Some((0, 120)));
    assert_eq!(report.sequencers.len(), 3);
    // When the session began Dave was about to leave and weighed nothing: 180 for two.
    assert_eq!(balance(&mut chain, Bob) - before[0], 90 + 5);
    assert_eq!(balance(&mut chain, Dave) - before[1], 5);
}
