//! P20 for the money: after any forks of L1, L2 has minted what L1's branch destroyed, and
//! whatever else is there is taken back or counted as deficit.

use crate::{
    mock::*,
    pallet::{ClawedBackTotal, Deficit, MintedTotal, VaultedTotal},
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
    relay::OnL1Fork,
};
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    tokens::Preservation,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BURNS: u32 = 12;

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    /// The next L1 block has these burns.
    Mine(Vec<u32>),
    /// L1 replaces its last blocks.
    Fork(usize),
    /// The relay has caught up.
    Recover,
    /// Somebody sends coins.
    Transfer { from: u8, to: u8, amount: u64 },
    /// L2 blocks end.
    Blocks(u8),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => prop::collection::vec(0..BURNS, 0..4).prop_map(Action::Mine),
        2 => (1..6usize).prop_map(Action::Fork),
        2 => Just(Action::Recover),
        3 => (1..5u8, 1..5u8, 0..2_000u64)
            .prop_map(|(from, to, amount)| Action::Transfer { from, to, amount }),
        3 => (1..3u8).prop_map(Action::Blocks),
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

/// L1: its branch, with the burns of each block.
#[derive(Default)]
struct L1 {
    /// Height, branch and burns of each block.
    blocks: Vec<(u32, u8, Vec<u32>)>,
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
        for &number in &burns {
            let block = l1_block_at(height, self.branch);
            let (to, value) = (recipient_of(number), value_of(number));
            match is_deposit(number) {
                true => deposit_in(&block, number, to, value, VAULT),
                false => burn_in(&block, number, to, value),
            }
        }
        self.blocks.push((height, self.branch, burns));
    }

    fn fork(&mut self, depth: usize) {
        let kept = self.blocks.len().saturating_sub(depth);
        let mut replaced = Replaced::get();
        for (height, branch, _) in self.blocks.drain(kept..) {
            replaced.push(l1_block_at(height, branch).hash);
        }
        Replaced::set(replaced);
        self.branch += 1;
        self.recovering = true;
        L1Disputed::set(true);
        BurnMint::on_fork(&l1_block_at(99, 0));
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
            let mut l1 = L1::default();
            let mut ever = BTreeSet::new();
            for action in &all {
                match action {
                    Action::Mine(numbers) => {
                        l1.mine(numbers);
                        ever.extend(numbers.iter().copied());
                    }
                    Action::Fork(depth) => l1.fork(*depth),
                    Action::Recover => l1.recover(),
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
                }
                let supply = BurnMint::supply();
                assert!(supply.valid, "the supply adds up at all times");
                assert_eq!(supply.burned_on_l2, 0, "what is taken back is not what is burned");
            }
            l1.recover();
            // All are judged, and all that waits has its turn.
            for _ in 0..40 {
                next_block();
            }
            let (mut backed, mut deficit, mut vaulted) = (0, 0, 0);
            for &number in &ever {
                let record = record(number);
                if is_deposit(number) {
                    vaulted += Balance::from(record.minted);
                }
                if l1.has(number) {
                    assert_eq!(record.outcome, BurnOutcome::Minted, "burn {number}");
                    backed += Balance::from(value_of(number));
                } else {
                    assert_eq!(record.outcome, BurnOutcome::Reverted, "burn {number}");
                    deficit += Balance::from(record.minted);
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
