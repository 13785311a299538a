//! P20: after a recovery every account has what a history has that never knew the L1 blocks
//! that went: the same past, then L1's new blocks, then what users did, as far as it holds;
//! whatever leaders bring, or do not bring.

use crate::{mock::*, pallet::Running};
use cascoin_l2_primitives::recovery::{RecoveryStep, Wanted};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::collections::BTreeSet;

const BURNS: u8 = 16;
/// Of accounts, and the pot.
const ALL: [u8; 5] = [1, 2, 3, 4, POT];

/// What an L2 block does.
#[derive(Clone, Debug)]
enum Action {
    /// Applies L1's next block, with these burns.
    L1(Vec<u8>),
    /// Users send coins: from, to, how many.
    Users(Vec<(u8, u8, u8)>),
}

impl Action {
    fn run(&self, chain: &mut Chain) {
        match self {
            Self::L1(burns) => chain.l1_block(burns),
            Self::Users(transfers) => chain.send(transfers),
        }
    }
}

fn users() -> impl Strategy<Value = Action> {
    // Some are of two payments.
    let amount = prop_oneof![3 => 0..80u8, 1 => BATCH..BATCH + 40];
    prop::collection::vec((1..5u8, 1..5u8, amount), 0..5).prop_map(Action::Users)
}

fn l1_block() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..BURNS, 0..4)
}

/// No more than 190 transfers, as each has a byte for its id.
fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![2 => l1_block().prop_map(Action::L1), 3 => users()];
    prop::collection::vec(action, 1..38)
}

/// What a leader does in a recovery.
#[derive(Clone, Debug)]
enum Turn {
    /// It brings what is wanted.
    Good,
    /// It brings nothing, as if it had crashed.
    Nothing,
    /// It leaves a node out of a page.
    Part(prop::sample::Index),
    /// It brings something else.
    Wrong(u8),
}

/// Fewer than a recovery waits for.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        Just(Turn::Good),
        Just(Turn::Nothing),
        any::<prop::sample::Index>().prop_map(Turn::Part),
        (0..4u8).prop_map(Turn::Wrong),
    ];
    prop::collection::vec(turn, 0..PATIENCE as usize)
}

/// Something that is never wanted.
fn wrong_step(chain: &Chain, kind: u8) -> RecoveryStep {
    let made = chain.blocks.last().expect("there is genesis");
    let header = Box::new(made.header.clone());
    match kind {
        0 => RecoveryStep::Point(header),
        1 => RecoveryStep::Page(vec![]),
        2 => RecoveryStep::Page(vec![vec![7; 40]; 3]),
        _ => made.step(),
    }
}

fn with_l1(step: Option<RecoveryStep>) -> Content {
    Content { step, l1: true, ..Content::default() }
}

impl Turn {
    fn run(&self, chain: &mut Chain) {
        match self {
            Self::Good => chain.advance(),
            Self::Nothing => chain.idle(1),
            Self::Part(pick) => {
                let mut step = chain.step();
                if let Some(RecoveryStep::Page(nodes)) = &mut step {
                    nodes.remove(pick.index(nodes.len()));
                }
                // Without the way to its first entry a page shows nothing, and is refused.
                let _ = chain.block(with_l1(step));
            }
            Self::Wrong(kind) => {
                let is_restoring = matches!(
                    Recovery::recovery_wanted(),
                    Some(Wanted::Point { .. } | Wanted::Page { .. })
                );
                let before = (Running::<Test>::get(), ALL.map(balance));
                let step = wrong_step(chain, *kind);
                assert!(chain.block(with_l1(Some(step))).is_err());
                if is_restoring {
                    assert_eq!((Running::<Test>::get(), ALL.map(balance)), before);
                }
            }
        }
    }
}

/// What there is after a transfer with its fee; `None` if not all of it can be paid.
fn after(mut balances: [u64; 256], transfer: Transfer) -> Option<[u64; 256]> {
    let (from, to) = (usize::from(transfer.from), usize::from(transfer.to));
    let (amount, is_batch) = transfer.payments();
    for paid in 0..=u64::from(is_batch) {
        let fee = if paid == 0 { FEE } else { 0 };
        balances[from] = balances[from].checked_sub(amount + fee)?;
        balances[to] += amount;
        balances[usize::from(POT)] += fee;
    }
    Some(balances)
}

/// What a history that never knew what went comes to: balances, and the hashes of what does
/// not hold in it. Written anew, without a state that could be gone back to.
fn history(chain: &Chain, point: u32, begun: u32, new: &[Vec<u8>]) -> ([u64; 5], Vec<H256>) {
    let mut balances = [0u64; 256];
    let mut minted = BTreeSet::new();
    let state = &chain.blocks[point as usize].state;
    for who in ALL {
        let value = state.get(&money(who));
        let value = value.map(|value| value.as_slice().try_into().expect("eight bytes"));
        balances[usize::from(who)] = value.map_or(0, u64::from_le_bytes);
    }
    minted.extend((0..BURNS).filter(|burn| state.contains_key(&burned(*burn))));
    for burn in new.iter().flatten() {
        if minted.insert(*burn) {
            balances[usize::from(recipient_of(*burn))] += value_of(*burn);
        }
    }
    let mut fell = Vec::new();
    for made in &chain.blocks[point as usize + 1..=begun as usize] {
        for encoded in &made.body {
            let Some(transfer) = Transfer::decode(encoded) else { continue };
            let is_in_full = chain.succeeded.contains(&transfer.id);
            if !is_in_full && !chain.partly.contains(&transfer.id) {
                continue;
            }
            match after(balances, transfer).filter(|_| is_in_full) {
                Some(after) => balances = after,
                None => fell.push(BlakeTwo256::hash(encoded)),
            }
        }
    }
    (ALL.map(|who| balances[usize::from(who)]), fell)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn p20_a_recovery_leaves_what_a_history_without_the_dropped_blocks_has(
        actions in actions(),
        depth in 1..6usize,
        branch in prop::collection::vec(l1_block(), 1..6),
        after in prop::collection::vec(users(), 0..3),
        turns in turns(),
    ) {
        on_chain(|chain| {
            actions.iter().for_each(|action| action.run(chain));
            let kept = Branch::get().len().saturating_sub(depth);
            if !chain.fork(kept as u32, 150) {
                return;
            }
            let point = Standing::get().and_then(|standing| standing.since);
            let point = point.expect("the log knows it").number;
            for burns in &branch {
                chain.l1_block(burns);
            }
            after.iter().for_each(|action| action.run(chain));
            let nonces = ALL.map(nonce);
            chain.vote();
            let begun = chain.head();

            for turn in &turns {
                if Recovery::is_running() {
                    turn.run(chain);
                }
            }
            chain.recover();

            let new = Branch::get().split_off(kept);
            let (balances, fell) = history(chain, point, begun, &new);
            assert_eq!(ALL.map(balance), balances);
            let told = Recovery::fallen(0, u32::MAX);
            let told: Vec<_> = told.into_iter().map(|(_, fallen)| fallen.hash).collect();
            assert_eq!(told, fell);

            // Nothing is there that L1 does not back, and all that it backs is there.
            let on_l1: BTreeSet<u8> = Branch::get().into_iter().flatten().collect();
            for burn in 0..BURNS {
                assert_eq!(is_minted(burn), on_l1.contains(&burn));
            }
            let backed: u64 = on_l1.into_iter().map(value_of).sum();
            assert_eq!(ALL.map(balance).iter().sum::<u64>(), backed);
            assert_eq!(ALL.map(nonce), nonces, "no nonce goes back");

            let last = Recovery::recovery_overview().last.expect("it ended");
            let tried = chain.blocks[point as usize + 1..=begun as usize]
                .iter()
                .flat_map(|made| &made.body)
                .filter_map(|encoded| Transfer::decode(encoded))
                .filter(|Transfer { id, .. }| {
                    chain.succeeded.contains(id) || chain.partly.contains(id)
                })
                .count();
            assert_eq!((last.held + last.fell) as usize, tried);
            assert_eq!(last.abandoned, 0);
        });
    }
}
