//! P20 for the money: after any forks of L1, L2 has minted what L1's branch destroyed, and
//! whatever else is there is taken back or counted as deficit.
//!
//! There are more burns than are judged in one block, limits by which they are minted over
//! days, and L1 returns to branches that it left.

use crate::{
    mock::*,
    pallet::{ClawedBackTotal, DeferredTotal, Deficit, MintedTotal, Sweep, VaultedTotal},
    revert::MAX_JUDGED,
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
    l1::burn::BurnRejection,
    relay::OnL1Fork,
};
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    tokens::Preservation,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BURNS: u32 = 40;
const _: () = assert!(BURNS > 2 * MAX_JUDGED);

/// Limits of a day: a burn takes up to three, an address gets one and a half, and all
/// together have four.
const LIMITS: (Balance, Balance, Balance) = (60, 150, 400);
/// Days after which all that can be minted is: all burns are worth less than 6,000, those
/// of one address less than 1,500.
const ALL_DAYS: u32 = 40;

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    /// The next L1 block has these burns.
    Mine(Vec<u32>),
    /// L1 replaces its last blocks.
    Fork(usize),
    /// L1 returns to the branch that it left last.
    Return,
    /// The relay has caught up.
    Recover,
    /// Root rejects a burn, if it waits.
    Reject(u32),
    /// Somebody sends coins.
    Transfer { from: u8, to: u8, amount: u64 },
    /// L2 blocks end.
    Blocks(u8),
    /// The next day begins.
    Day,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        8 => prop::collection::vec(0..BURNS, 0..8).prop_map(Action::Mine),
        2 => (1..6usize).prop_map(Action::Fork),
        2 => Just(Action::Return),
        2 => Just(Action::Recover),
        1 => (0..BURNS).prop_map(Action::Reject),
        3 => (1..5u8, 1..5u8, 0..2_000u64)
            .prop_map(|(from, to, amount)| Action::Transfer { from, to, amount }),
        3 => (1..3u8).prop_map(Action::Blocks),
        2 => Just(Action::Day),
    ];
    prop::collection::vec(action, 0..80)
}

fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn value_of(number: u32) -> u64 {
    100 + u64::from(number)
}

/// Who gets a burn.
fn recipient_of(number: u32) -> AccountId {
    account(1 + (number % 4) as u8)
}

/// Whether it is no burn but a deposit in the vault.
fn is_deposit(number: u32) -> bool {
    number % 3 == 0
}

/// An L1 block: its height, its branch, and its burns.
type Mined = (u32, u8, Vec<u32>);

/// L1: its branch, with the burns of each block.
#[derive(Default)]
struct L1 {
    blocks: Vec<Mined>,
    /// The branch that it left last, from the first block.
    left: Vec<Mined>,
    branch: u8,
    recovering: bool,
}

impl L1 {
    fn has(&self, number: u32) -> bool {
        self.blocks.iter().any(|(_, _, burns)| burns.contains(&number))
    }

    fn mine(&mut self, numbers: &[u32]) {
        let height = 100 + self.blocks.len() as u32;
        let mut burns = Vec::new();
        for &number in numbers {
            // An output stands on a branch once.
            if !self.has(number) && !burns.contains(&number) {
                burns.push(number);
            }
        }
        self.add((height, self.branch, burns));
    }

    /// The relay brings a block.
    fn add(&mut self, block: Mined) {
        let context = l1_block_at(block.0, block.1);
        Replaced::mutate(|replaced| replaced.retain(|hash| *hash != context.hash));
        for &number in &block.2 {
            let (to, value) = (recipient_of(number), value_of(number));
            match is_deposit(number) {
                true => deposit_in(&context, number, to, value, VAULT),
                false => burn_in(&context, number, to, value),
            }
        }
        self.blocks.push(block);
    }

    /// The relay goes back to the first `kept` blocks.
    fn go_back(&mut self, kept: usize) {
        self.left = self.blocks.clone();
        for (height, branch, _) in self.blocks.drain(kept..) {
            Replaced::mutate(|replaced| replaced.push(l1_block_at(height, branch).hash));
        }
        self.branch += 1;
        self.recovering = true;
        L1Disputed::set(true);
        BurnMint::on_fork(&l1_block_at(99 + kept as u32, 0));
    }

    fn fork(&mut self, depth: usize) {
        self.go_back(self.blocks.len().saturating_sub(depth));
    }

    fn return_to_what_it_left(&mut self) {
        let back = core::mem::take(&mut self.left);
        if back.is_empty() {
            return;
        }
        let common = self.blocks.iter().zip(&back).take_while(|(one, other)| one == other).count();
        // If nothing was mined since, the relay only goes on.
        if common < self.blocks.len() {
            self.go_back(common);
        }
        for block in back.into_iter().skip(common) {
            self.add(block);
        }
    }

    fn recover(&mut self) {
        if core::mem::take(&mut self.recovering) {
            L1Disputed::set(false);
            BurnMint::on_recovered();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn p20_after_forks_of_l1_the_books_say_what_its_branch_destroyed(all in actions()) {
        new_test_ext().execute_with(|| {
            VaultScript::set(Some(VAULT));
            DayLimits::set(LIMITS);
            let mut l1 = L1::default();
            let (mut ever, mut rejected) = (BTreeSet::new(), BTreeSet::new());
            for action in &all {
                match action {
                    Action::Mine(numbers) => {
                        l1.mine(numbers);
                        ever.extend(numbers.iter().copied());
                    }
                    Action::Fork(depth) => l1.fork(*depth),
                    Action::Return => l1.return_to_what_it_left(),
                    Action::Recover => l1.recover(),
                    Action::Reject(number) => {
                        let root = RuntimeOrigin::root();
                        // While L1 is disputed.
                        if BurnMint::reject_waiting(root, outpoint(*number)).is_ok() {
                            rejected.insert(*number);
                        }
                    }
                    Action::Transfer { from, to, amount } => {
                        let (from, to) = (account(*from), account(*to));
                        let amount = Balance::from(*amount);
                        let _ = Balances::transfer(&from, &to, amount, Preservation::Expendable);
                    }
                    Action::Blocks(count) => {
                        for _ in 0..*count {
                            next_block();
                        }
                    }
                    Action::Day => next_day(),
                }
                let supply = BurnMint::supply();
                assert!(supply.valid, "the supply adds up at all times");
                assert_eq!(supply.burned_on_l2, 0, "what is taken back is not what is burned");
            }
            l1.recover();
            // All are judged, some each block. A burn is noted once for each block that
            // brought it.
            for _ in 0..all.len() * BURNS as usize {
                if !Sweep::<Test>::exists() {
                    break;
                }
                next_block();
            }
            assert!(!Sweep::<Test>::exists(), "all are judged");
            // All that waits is minted, as days go by.
            for _ in 0..ALL_DAYS {
                if DeferredTotal::<Test>::get() == 0 {
                    break;
                }
                next_block();
                next_day();
            }
            let (mut backed, mut deficit, mut vaulted) = (0, 0, 0);
            for &number in &ever {
                let record = record(number);
                let minted = Balance::from(record.minted);
                if is_deposit(number) {
                    vaulted += minted;
                }
                let by_root = BurnOutcome::Rejected(BurnRejection::ByGovernance);
                match (l1.has(number), rejected.contains(&number)) {
                    (true, false) => {
                        assert_eq!(record.outcome, BurnOutcome::Minted, "burn {number}");
                        assert_eq!(record.minted, value_of(number));
                        backed += minted;
                    }
                    (true, true) => {
                        assert_eq!(record.outcome, by_root, "burn {number}");
                        backed += minted;
                    }
                    // Nothing was minted of it, ever.
                    (false, true) if record.outcome == by_root => assert_eq!(minted, 0),
                    (false, _) => {
                        assert_eq!(record.outcome, BurnOutcome::Reverted, "burn {number}");
                        deficit += minted;
                    }
                }
            }
            assert_eq!(Deficit::<Test>::get(), deficit);
            assert_eq!(BurnMint::has_deficit(), deficit > 0);
            assert_eq!(MintedTotal::<Test>::get(), backed + deficit);
            assert_eq!(VaultedTotal::<Test>::get(), vaulted);
            assert_eq!(<Balances as Inspect<AccountId>>::total_issuance(), ENDOWMENT + backed + deficit);
            // Whoever owes has nothing that could be taken back when it was judged; what
            // it has now can be.
            let taken = ClawedBackTotal::<Test>::get();
            for &number in &ever {
                let _ = BurnMint::claw_back(RuntimeOrigin::signed(ALICE), outpoint(number));
            }
            assert_eq!(ClawedBackTotal::<Test>::get() - taken, deficit - Deficit::<Test>::get());
            next_block();
        });
    }
}
