//! Whatever L1 drops and brings again, under whichever identifiers: what was signed is
//! executed at most once, only while L1 has it, and in the end can be.

use crate::mock::*;
use cascoin_l2_primitives::l1::L1Hash;
use proptest::prelude::*;

/// Messages that were signed. Strangers can have each mined under another identifier.
const SIGNED: u32 = 8;
/// More blocks than it takes to try all outputs of one sender.
const ALL_TURNS: u32 = 20;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// The next L1 block has a message, under its own identifier or another one.
    Mine(u32, bool),
    /// L1 replaces its last blocks.
    Fork(usize),
    /// The relay has caught up.
    Settle,
    /// An L2 block begins.
    Block,
    /// A sender claims an output.
    Claim(u32, bool),
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => (0..SIGNED, any::<bool>()).prop_map(|(signed, other)| Action::Mine(signed, other)),
        2 => (1..4usize).prop_map(Action::Fork),
        2 => Just(Action::Settle),
        4 => Just(Action::Block),
        2 => (0..SIGNED, any::<bool>()).prop_map(|(signed, other)| Action::Claim(signed, other)),
    ]
}

fn seed_of(signed: u32) -> u8 {
    1 + (signed % 3) as u8
}

/// The number of the output that carries a message.
fn output(signed: u32, other: bool) -> u32 {
    if other {
        100 + signed
    } else {
        signed
    }
}

#[derive(Default)]
struct Model {
    /// L1's branch: the message of each block, and the block's number.
    branch: Vec<(u32, bool, u8)>,
    blocks: u8,
    /// Messages that were executed.
    executed: Vec<u32>,
}

impl Model {
    fn position(&self, signed: u32) -> Option<(u32, bool, u8)> {
        self.branch.iter().copied().find(|block| block.0 == signed)
    }

    fn mine(&mut self, signed: u32, other: bool) {
        // Its coins are spent on this branch.
        if self.position(signed).is_some() {
            return;
        }
        self.blocks += 1;
        let (block, numbers) = (l1_block_of(self.blocks), (signed, output(signed, other)));
        deliver_as(&block, seed_of(signed), numbers, 0, body(GAS, &remark(signed)));
        self.branch.push((signed, other, self.blocks));
    }

    fn fork(&mut self, depth: usize) {
        let kept = self.branch.len().saturating_sub(depth);
        for (_, _, block) in self.branch.drain(kept..) {
            Replaced::mutate(|all| all.push(L1Hash([block; 32])));
        }
        Disputed::set(true);
    }

    fn note(&mut self, signed: u32) -> Result<(), TestCaseError> {
        prop_assert!(!self.executed.contains(&signed), "{} twice", signed);
        prop_assert!(self.position(signed).is_some(), "L1 does not have {}", signed);
        self.executed.push(signed);
        Ok(())
    }

    fn block(&mut self) -> Result<(), TestCaseError> {
        next_block();
        let made = remarks();
        prop_assert!(made.is_empty() || !Disputed::get());
        for one in made {
            let signed = (0..SIGNED).find(|signed| said(seed_of(*signed), *signed) == one);
            self.note(signed.expect("nobody else says anything"))?;
        }
        Ok(())
    }

    fn claim(&mut self, signed: u32, other: bool) -> Result<bool, TestCaseError> {
        let done = claim(seed_of(signed), output(signed, other)).is_ok();
        if done {
            self.note(signed)?;
            let stands = self.position(signed).is_some_and(|block| block.1 == other);
            prop_assert!(stands, "L1 has another one");
        }
        Ok(done)
    }
}

fn run(actions: Vec<Action>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for action in actions {
        match action {
            Action::Mine(signed, other) => model.mine(signed, other),
            Action::Fork(depth) => model.fork(depth),
            Action::Settle => Disputed::set(false),
            Action::Block => model.block()?,
            Action::Claim(signed, other) => {
                model.claim(signed, other)?;
            }
        }
    }
    Disputed::set(false);
    for _ in 0..ALL_TURNS {
        model.block()?;
    }
    // What L1 has is executed, or came late and is its sender's to claim.
    for (signed, other, _) in model.branch.clone() {
        if !model.executed.contains(&signed) {
            prop_assert!(model.claim(signed, other)?, "message {} cannot be claimed", signed);
        }
    }
    prop_assert_eq!(crate::Pallet::<Test>::check_state(), Ok(()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    // All of it is over before the first record is forgotten.
    #[test]
    fn p20_r28_what_was_signed_is_executed_once_at_most_and_only_while_l1_has_it(
        actions in proptest::collection::vec(any_action(), 1..60),
    ) {
        new_test_ext().execute_with(|| run(actions))?;
    }
}
