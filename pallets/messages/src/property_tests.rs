//! Whatever is sent, and in whatever order blocks, values and claims come.

use crate::{
    mock::*,
    pallet::{Entered, Event},
    MAX_RETRIES,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    messages::{MessageBody, MessageFailure, MessageState, ValueStanding},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Succeeds.
    Remark,
    /// Fails whenever it is tried.
    Fail,
    /// Leads back here: claims the message with this number. It is too heavy for a message.
    Reenter(u32),
    /// Heeds the guard, and would succeed without it.
    Guarded,
    /// Is none of a message's bodies.
    Junk,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(u8, Kind, u64),
    Blocks(u32),
    /// New values wait, or do not.
    Values(bool),
    /// What waits is credited.
    Credit,
    Claim(u8, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        4 => Just(Kind::Remark),
        2 => Just(Kind::Fail),
        2 => (0..30u32).prop_map(Kind::Reenter),
        2 => Just(Kind::Guarded),
        1 => Just(Kind::Junk),
    ];
    let value = prop_oneof![Just(0u64), 1..1_000u64];
    prop_oneof![
        8 => (1..=3u8, kind, value).prop_map(|(seed, kind, value)| Step::Send(seed, kind, value)),
        6 => (1..=3u32).prop_map(Step::Blocks),
        2 => (1..=40u32).prop_map(Step::Blocks),
        1 => any::<bool>().prop_map(Step::Values),
        1 => Just(Step::Credit),
        3 => (1..=3u8, 0..30u32).prop_map(|(seed, number)| Step::Claim(seed, number)),
    ]
}

/// What the test knows of a message that was sent.
struct Sent {
    seed: u8,
    kind: Kind,
    body: MessageBody,
    block: u32,
    /// What became of it.
    end: Option<bool>,
}

#[derive(Default)]
struct Model {
    sent: Vec<Sent>,
    /// Of each sender the messages that are not done, first those sent first.
    waiting: BTreeMap<u8, Vec<u32>>,
    /// Remarks that were made, by sender.
    remarks: BTreeMap<AccountId, usize>,
}

impl Model {
    fn send(&mut self, seed: u8, kind: Kind, value: u64) {
        let number = self.sent.len() as u32;
        let body = match kind {
            Kind::Remark => body(GAS, &remark(number)),
            Kind::Fail => body(GAS, &transfer(4, u64::MAX.into())),
            Kind::Reenter(other) => body(GAS, &claim_call(other)),
            Kind::Guarded => body(GAS, &guarded()),
            Kind::Junk => vec![1, 2, 3].try_into().expect("short"),
        };
        deliver(seed, number, value, body.clone());
        let junk = matches!(kind, Kind::Junk);
        let end = junk.then_some(false);
        self.sent.push(Sent { seed, kind, body, block: System::block_number(), end });
        if !junk {
            self.waiting.entry(seed).or_default().push(number);
        }
    }

    fn number_of(&self, of: &cascoin_l2_primitives::l1::OutPoint) -> u32 {
        let all = 0..self.sent.len() as u32;
        all.into_iter().find(|number| outpoint(*number) == *of).expect("it was sent")
    }

    /// Takes in what a block did when it began.
    fn after_beginning(&mut self) -> Result<(), TestCaseError> {
        let now = System::block_number();
        for event in events() {
            let (outpoint, succeeded) = match event {
                Event::MessageExecuted { outpoint, .. } => (outpoint, true),
                Event::MessageFailed { outpoint, .. } => (outpoint, false),
                Event::MessageDelayed { outpoint, tries, .. } => {
                    let number = self.number_of(&outpoint);
                    let seed = self.sent[number as usize].seed;
                    prop_assert!(tries <= MAX_RETRIES);
                    prop_assert_eq!(self.waiting[&seed].first(), Some(&number), "out of order");
                    continue;
                }
                other => return Err(TestCaseError::fail(format!("nothing else: {other:?}"))),
            };
            let number = self.number_of(&outpoint);
            let sent = &mut self.sent[number as usize];
            // R28.2.
            prop_assert!(sent.block < now, "executed in the block that applied it");
            prop_assert_eq!(sent.end, None, "done twice");
            prop_assert_eq!(succeeded, matches!(sent.kind, Kind::Remark));
            sent.end = Some(succeeded);
            // R9.1: in the order of its sender.
            let waiting = self.waiting.get_mut(&sent.seed).expect("it waits");
            prop_assert_eq!(waiting.first(), Some(&number), "out of order");
            waiting.remove(0);
        }
        for (sender, _) in remarks() {
            *self.remarks.entry(sender).or_default() += 1;
        }
        self.check()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(crate::Pallet::<Test>::check_state(), Ok(()));
        prop_assert!(!Entered::<Test>::exists());
        for (number, sent) in (0..).zip(&self.sent) {
            // P9: what is on record is what was sent.
            if let Some(record) = record(number) {
                prop_assert_eq!(&record.body, &sent.body);
                prop_assert_eq!(record.sender, account(sent.seed));
                let end = match record.state {
                    MessageState::Queued(_) => None,
                    MessageState::Executed { .. } => Some(true),
                    MessageState::Failed { .. } => Some(false),
                };
                prop_assert_eq!(end, sent.end);
            } else {
                prop_assert!(sent.end.is_some(), "a message that waits is never forgotten");
            }
        }
        // Each message that succeeded did so once, and no other did anything.
        for seed in 1..=3u8 {
            let good = |sent: &&Sent| sent.seed == seed && sent.end == Some(true);
            let expected = self.sent.iter().filter(good).count();
            let made = self.remarks.get(&account(seed)).copied().unwrap_or(0);
            prop_assert_eq!(made, expected);
        }
        Ok(())
    }
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Send(seed, kind, value) => model.send(seed, kind, value),
            Step::Blocks(count) => {
                for _ in 0..count {
                    next_block();
                    model.after_beginning()?;
                }
            }
            Step::Values(wait) => NewStanding::set(match wait {
                true => ValueStanding::Waits,
                false => ValueStanding::Credited,
            }),
            Step::Credit => Standings::mutate(|all| {
                all.values_mut().for_each(|standing| *standing = ValueStanding::Credited);
            }),
            Step::Claim(seed, number) => {
                let result = claim(seed, number);
                // Nothing that failed for good can succeed here, whoever claims it.
                prop_assert!(result.is_err());
                model.check()?;
            }
        }
    }
    // R9.1: in the end all are delivered.
    Standings::mutate(|all| {
        all.values_mut().for_each(|standing| *standing = ValueStanding::Credited);
    });
    let most = model.waiting.values().map(Vec::len).max().unwrap_or(0) as u32;
    for _ in 0..most * 2 * (6 * PAUSE + crate::VALUE_PAUSE) {
        if model.waiting.values().all(Vec::is_empty) {
            break;
        }
        next_block();
        model.after_beginning()?;
    }
    prop_assert!(model.waiting.values().all(Vec::is_empty), "all are done");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn p9_r28_messages_are_delivered_unchanged_in_order_once_and_never_within_another(
        steps in proptest::collection::vec(any_step(), 1..40),
    ) {
        new_test_ext().execute_with(|| run(steps))?;
    }

    /// Attack: messages that claim each other in any pattern, cycles and themselves included,
    /// of one sender who has failed ones that would succeed by now.
    #[test]
    fn r28_1_no_chain_of_messages_that_call_each_other_gets_anywhere(
        targets in proptest::collection::vec(0..8u32, 1..8),
    ) {
        new_test_ext().execute_with(|| -> Result<(), TestCaseError> {
            use frame_support::traits::fungible::{Inspect, Mutate};
            send(1, 0, 0, transfer(2, 2 * ENDOWMENT));
            for (number, target) in (1..).zip(&targets) {
                // A claim is too heavy for a message; the others have only the guard.
                let call = if number % 2 == 0 { guarded() } else { claim_call(*target) };
                send(1, number, 0, call);
            }
            // Each has four tries with pauses of six times the first between them.
            blocks(1 + 6 * PAUSE);
            let failed = matches!(
                record(0).map(|record| record.state),
                Some(MessageState::Failed { reason: MessageFailure::Call(_), .. })
            );
            prop_assert!(failed);
            prop_assert!(Balances::mint_into(&account(1), 2 * ENDOWMENT).is_ok());
            let last = targets.len() as u32;
            for _ in 0..last * (6 * PAUSE + 2) {
                next_block();
                prop_assert!(!Entered::<Test>::exists());
                for number in 1..=last {
                    // Claims of any of them change nothing either.
                    prop_assert!(claim(1, number).is_err());
                    let executed = record(number)
                        .is_some_and(|record| matches!(record.state, MessageState::Executed { .. }));
                    prop_assert!(!executed);
                }
            }
            prop_assert_eq!(Balances::balance(&account(2)), ENDOWMENT);
            Ok(())
        })?;
    }
}
