//! P20: after a recovery every account has what a history has that never knew the L1
//! blocks that went: the same past, then L1's new blocks, then what users did, as far as it
//! holds.

use super::{
    restore, Cursor, Effect, Ledger, Outcome, Past, PointLog, RecoveryPoint, Replay, State,
    StatePage, Verdict,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, iter, ops::Bound};

/// Height of the L1 block that the chain begins with.
const L1_START: u32 = 100;
const BURNS: u8 = 16;
const ACCOUNTS: u8 = 5;
const FEE: u64 = 1;
/// The account that fees go to.
const POT: u8 = 0;

/// The chain's state: balances and minted burns, which go back, and nonces, which do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Store(BTreeMap<Vec<u8>, Vec<u8>>);

impl State for Store {
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        let behind: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Excluded(after), Bound::Unbounded);
        self.0.range::<[u8], _>(behind).next().map(|(key, _)| key.clone())
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.0.insert(key.to_vec(), value.to_vec());
    }

    fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

fn key(part: &str, number: u8) -> Vec<u8> {
    let mut key = part.as_bytes().to_vec();
    key.push(number);
    key
}

impl Store {
    fn number(&self, key: &[u8]) -> u64 {
        self.0.get(key).map_or(0, |value| {
            u64::from_le_bytes(value.as_slice().try_into().expect("eight bytes"))
        })
    }

    fn add(&mut self, key: Vec<u8>, amount: u64) {
        let sum = self.number(&key) + amount;
        self.0.insert(key, sum.to_le_bytes().to_vec());
    }

    /// Takes what is there, if it is enough. Who has nothing is forgotten, as on the chain.
    fn take(&mut self, key: &[u8], amount: u64) -> Result<(), ()> {
        let left = self.number(key).checked_sub(amount).ok_or(())?;
        if left == 0 {
            self.0.remove(key);
        } else {
            self.0.insert(key.to_vec(), left.to_le_bytes().to_vec());
        }
        Ok(())
    }

    fn mint(&mut self, burn: u8) {
        if self.number(&key("minted", burn)) == 0 {
            self.add(key("minted", burn), 1);
            self.add(key("balance", recipient_of(burn)), value_of(burn));
        }
    }

    fn balances(&self) -> Vec<u64> {
        (0..ACCOUNTS).map(|account| self.number(&key("balance", account))).collect()
    }
}

fn recipient_of(burn: u8) -> u8 {
    1 + burn % (ACCOUNTS - 1)
}

fn value_of(burn: u8) -> u64 {
    50 + u64::from(burn)
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Transfer {
    id: usize,
    from: u8,
    to: u8,
    amount: u64,
}

impl Ledger for Store {
    type Transaction = Transfer;
    type Refusal = ();

    fn apply(&mut self, transfer: &Transfer) -> Result<(), ()> {
        self.take(&key("balance", transfer.from), transfer.amount + FEE)?;
        self.add(key("balance", transfer.to), transfer.amount);
        self.add(key("balance", POT), FEE);
        Ok(())
    }

    fn pass_over(&mut self, transfer: &Transfer) {
        self.add(key("passed", transfer.from), 1);
    }

    fn in_part() {}
}

fn succeeded(past: &Past<Transfer>) -> bool {
    past.outcome == Outcome::Succeeded
}

/// What an L2 block does.
#[derive(Clone, Debug)]
enum Action {
    /// Applies the next L1 block, with these burns.
    L1(Vec<u8>),
    /// Users send coins: from, to, how many.
    Users(Vec<(u8, u8, u64)>),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let transfer = (1..ACCOUNTS, 1..ACCOUNTS, 0..80u64);
    let action = prop_oneof![
        2 => prop::collection::vec(0..BURNS, 0..4).prop_map(Action::L1),
        3 => prop::collection::vec(transfer, 0..5).prop_map(Action::Users),
    ];
    prop::collection::vec(action, 1..40)
}

/// The chain and L1.
#[derive(Clone, Default)]
struct World {
    /// Burns of L1's blocks, of its branch alone.
    l1: Vec<Vec<u8>>,
    state: Store,
    /// The state after each block, from genesis on.
    states: Vec<Store>,
    /// Users' transactions of each block; genesis has none.
    blocks: Vec<Vec<Past<Transfer>>>,
    log: PointLog,
}

impl World {
    fn of(actions: &[Action]) -> Self {
        let mut world =
            Self { states: vec![Store::default()], blocks: vec![vec![]], ..Self::default() };
        let mut id = 0;
        for action in actions {
            let block = match action {
                Action::L1(burns) => {
                    world.apply_l1(burns);
                    vec![]
                }
                Action::Users(transfers) => transfers
                    .iter()
                    .filter_map(|&(from, to, amount)| {
                        id += 1;
                        world.include(Transfer { id, from, to, amount })
                    })
                    .collect(),
            };
            world.blocks.push(block);
            world.states.push(world.state.clone());
        }
        world
    }

    fn head(&self) -> u32 {
        self.states.len() as u32 - 1
    }

    /// An output stands on a branch once.
    fn new_burns(&self, burns: &[u8]) -> Vec<u8> {
        let mut new = Vec::new();
        for burn in burns {
            if !new.contains(burn) && !self.l1.iter().flatten().any(|known| known == burn) {
                new.push(*burn);
            }
        }
        new
    }

    fn apply_l1(&mut self, burns: &[u8]) {
        let burns = self.new_burns(burns);
        let l1_height = L1_START + 1 + self.l1.len() as u32;
        if !burns.is_empty() {
            let number = self.head();
            self.log.note(RecoveryPoint { l1_height, number, ..RecoveryPoint::default() });
        }
        for burn in &burns {
            self.state.mint(*burn);
        }
        self.l1.push(burns);
    }

    /// As a leader includes it: nobody who cannot pay the fee is in a block, and what fails
    /// pays it.
    fn include(&mut self, transaction: Transfer) -> Option<Past<Transfer>> {
        if self.state.number(&key("balance", transaction.from)) < FEE {
            return None;
        }
        self.state.add(key("nonce", transaction.from), 1);
        let mut outcome = Outcome::Succeeded;
        if self.state.apply(&transaction).is_err() {
            outcome = Outcome::Failed;
            self.state.take(&key("balance", transaction.from), FEE).expect("it is there");
            self.state.add(key("balance", POT), FEE);
        }
        Some(Past { transaction, outcome })
    }
}

fn page(of: &Store, prefix: &[u8], after: Option<&[u8]>, size: usize) -> StatePage {
    let due = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
    let mut entries: Vec<_> =
        of.0.iter()
            .filter(|(key, _)| due(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
    let complete = entries.len() <= size;
    entries.truncate(size);
    StatePage { entries, complete }
}

/// Recovers to a point. A crash loses what the running step did; state and cursor are in
/// one database, and go together. Returns the ids of the transactions that hold, that
/// fell and that had failed.
fn recover(
    world: &mut World,
    point: RecoveryPoint,
    branch: &[Vec<u8>],
    (size, limit): (usize, u32),
    mut crashes: impl Iterator<Item = bool>,
) -> [Vec<usize>; 3] {
    let parts = [b"balance".to_vec(), b"minted".to_vec()];
    let old = world.states[point.number as usize].clone();
    let mut crashed = move || crashes.next().unwrap_or(false);
    let mut cursor = Cursor::default();
    while let Some(part) = cursor.due(&parts) {
        let due = page(&old, part, cursor.after.as_deref(), size);
        let (mut state, mut moved) = (world.state.clone(), cursor.clone());
        restore(&mut state, &parts, &mut moved, &due, limit).expect("the page that is due");
        if !crashed() {
            (world.state, cursor) = (state, moved);
        }
    }
    for burns in branch {
        world.apply_l1(burns);
    }
    let mut replay = Replay::between(point.number, world.head());
    let mut told: [Vec<usize>; 3] = Default::default();
    while let Some(place) = replay.due() {
        let block = &world.blocks[place.block as usize];
        let (mut state, mut moved, mut heard) = (world.state.clone(), replay, told.clone());
        moved
            .step(&mut state, block, limit, |_, past, verdict| {
                let list = match verdict {
                    Verdict::Holds => 0,
                    Verdict::Fell(()) => 1,
                    Verdict::HadFailed => 2,
                };
                heard[list].push(past.transaction.id);
            })
            .expect("a block is due");
        if !crashed() {
            (world.state, replay, told) = (state, moved, heard);
        }
    }
    told
}

/// The balances by a history that never knew what went, and who fell in it: written anew,
/// without a state that could be gone back to.
fn history(
    actions: &[Action],
    world: &World,
    point: RecoveryPoint,
    branch: &[Vec<u8>],
) -> (Vec<u64>, Vec<usize>) {
    let mut balances = vec![0u64; ACCOUNTS.into()];
    let mut minted = Vec::new();
    let mut fell = Vec::new();
    let mint = |balances: &mut Vec<u64>, minted: &mut Vec<u8>, burns: &[u8]| {
        for burn in burns {
            if !minted.contains(burn) {
                minted.push(*burn);
                balances[usize::from(recipient_of(*burn))] += value_of(*burn);
            }
        }
    };
    let (before, after) = actions.split_at(point.number as usize);
    for (number, action) in (1..).zip(before) {
        if let Action::L1(burns) = action {
            mint(&mut balances, &mut minted, burns);
        }
        for past in &world.blocks[number] {
            let Transfer { from, to, amount, .. } = past.transaction;
            let moved = if succeeded(past) { amount } else { 0 };
            balances[usize::from(from)] -= moved + FEE;
            balances[usize::from(to)] += moved;
            balances[usize::from(POT)] += FEE;
        }
    }
    for burns in branch {
        mint(&mut balances, &mut minted, burns);
    }
    for number in point.number as usize + 1..=before.len() + after.len() {
        for past in world.blocks[number].iter().filter(|past| succeeded(past)) {
            let Transfer { id, from, to, amount } = past.transaction;
            if balances[usize::from(from)] < amount + FEE {
                fell.push(id);
                continue;
            }
            balances[usize::from(from)] -= amount + FEE;
            balances[usize::from(to)] += amount;
            balances[usize::from(POT)] += FEE;
        }
    }
    (balances, fell)
}

#[test]
fn p20_who_was_paid_with_coins_that_went_loses_these_and_nothing_else() {
    // Burn 0 brings account 1 its coins (50), burn 1 account 2 (51).
    let actions = [
        Action::L1(vec![1]),
        Action::L1(vec![0]),
        Action::Users(vec![(1, 3, 40), (2, 4, 20), (3, 4, 10), (1, 2, 200)]),
    ];
    let mut world = World::of(&actions);
    assert_eq!(world.state.balances(), [4, 8, 30, 29, 30]);
    let nonces = |world: &World| -> Vec<u64> {
        (1..ACCOUNTS).map(|who| world.state.number(&key("nonce", who))).collect()
    };
    assert_eq!(nonces(&world), [2, 1, 1, 0]);
    // L1 drops the block of burn 0.
    let effect = world.log.drop_above(L1_START + 1);
    let Effect::Since(point) = effect else { panic!("it had an effect: {effect:?}") };
    assert_eq!((point.l1_height, point.number), (L1_START + 2, 1));
    world.l1.truncate(1);
    let told = recover(&mut world, point, &[vec![]], (2, 1), iter::empty());
    // 1 never had anything, so 3 was not paid, and could not pay 4. 2 could.
    assert_eq!(told, [vec![2], vec![1, 3], vec![4]]);
    assert_eq!(world.state.balances(), [1, 0, 30, 0, 20]);
    assert_eq!(nonces(&world), [2, 1, 1, 0], "no nonce goes back");
}

/// Attack: a payment that failed inside of a transaction was made once more by another one;
/// repeated, both would pay.
#[test]
fn p20_what_had_failed_in_part_is_not_repeated_and_falls() {
    let mut store = Store::default();
    store.add(key("balance", 1), 100);
    let of =
        |id, outcome| Past { transaction: Transfer { id, from: 1, to: 2, amount: 10 }, outcome };
    let block = [
        of(1, Outcome::PartlyFailed),
        of(2, Outcome::Succeeded),
        of(3, Outcome::Failed),
        of(4, Outcome::Succeeded),
    ];
    let (mut replay, mut told) = (Replay::between(0, 1), Vec::new());
    replay
        .step(&mut store, &block, 9, |_, past, verdict| told.push((past.transaction.id, verdict)))
        .expect("a block is due");
    let expected =
        [(1, Verdict::Fell(())), (2, Verdict::Holds), (3, Verdict::HadFailed), (4, Verdict::Holds)];
    assert_eq!(told, expected);
    assert_eq!(store.number(&key("balance", 2)), 20);
    assert_eq!(store.number(&key("passed", 1)), 2, "their nonces are used all the same");
    assert_eq!(replay.due(), None);
}

proptest! {
    #[test]
    fn p20_a_recovery_leaves_what_a_history_without_the_dropped_blocks_has(
        actions in actions(),
        depth in 1..6usize,
        branch in prop::collection::vec(prop::collection::vec(0..BURNS, 0..4), 1..6),
        size in 1..4usize,
        limit in 1..4u32,
        crashes in prop::collection::vec(any::<bool>(), 0..30),
    ) {
        let mut world = World::of(&actions);
        let before = world.clone();
        let kept = world.l1.len().saturating_sub(depth);
        let gone = world.l1.split_off(kept);
        let point = match world.log.drop_above(L1_START + kept as u32) {
            Effect::Since(point) => point,
            effect => {
                prop_assert_eq!(effect, Effect::None);
                prop_assert!(gone.iter().all(Vec::is_empty));
                return Ok(());
            }
        };
        let told = recover(&mut world, point, &branch, (size, limit), crashes.into_iter());
        let (balances, fell) = history(&actions, &before, point, &branch);
        prop_assert_eq!(world.state.balances(), balances);

        // Nothing is there that L1 does not back, and all that it backs is there.
        let backed: u64 = world.l1.iter().flatten().map(|burn| value_of(*burn)).sum();
        prop_assert_eq!(world.state.balances().iter().sum::<u64>(), backed);
        for burn in 0..BURNS {
            let stands = world.l1.iter().flatten().any(|known| *known == burn);
            prop_assert_eq!(world.state.number(&key("minted", burn)), u64::from(stands));
        }

        // Of each of the users' transactions since the point exactly one thing is told.
        let [holds, told_fell, had_failed] = told;
        prop_assert_eq!(&told_fell, &fell);
        let since = before.blocks.iter().skip(point.number as usize + 1).flatten();
        let (tried, failed): (Vec<_>, Vec<_>) = since.partition(|past| succeeded(past));
        let ids = |list: &[&Past<Transfer>]| -> Vec<usize> {
            list.iter().map(|past| past.transaction.id).collect()
        };
        let mut verdicts = [holds, told_fell].concat();
        verdicts.sort_unstable();
        prop_assert_eq!(verdicts, ids(&tried));
        prop_assert_eq!(had_failed, ids(&failed));

        // What does not go back is as it was.
        for account in 0..ACCOUNTS {
            let nonce = key("nonce", account);
            prop_assert_eq!(world.state.number(&nonce), before.state.number(&nonce));
        }
    }

    /// Where all that L1 dropped comes again, nobody notices but by the order of things:
    /// nothing falls.
    #[test]
    fn p20_if_all_burns_come_again_every_transaction_holds(
        actions in actions(),
        depth in 1..6usize,
        size in 1..4usize,
        limit in 1..4u32,
    ) {
        let mut world = World::of(&actions);
        let before = world.state.clone();
        let kept = world.l1.len().saturating_sub(depth);
        let gone = world.l1.split_off(kept);
        if let Effect::Since(point) = world.log.drop_above(L1_START + kept as u32) {
            let failed = world.blocks[point.number as usize + 1..].iter().flatten();
            let unpaid = failed.filter(|past| !succeeded(past)).map(|past| past.transaction.from);
            let unpaid: Vec<_> = unpaid.collect();
            let [_, fell, _] = recover(&mut world, point, &gone, (size, limit), iter::empty());
            prop_assert_eq!(fell, Vec::<usize>::new());
            // Fees of what had failed are given back; all else is as before.
            for account in 1..ACCOUNTS {
                let given_back = unpaid.iter().filter(|from| **from == account).count() as u64 * FEE;
                let balance = key("balance", account);
                prop_assert_eq!(world.state.number(&balance), before.number(&balance) + given_back);
            }
        }
    }
}
