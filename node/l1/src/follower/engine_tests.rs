//! The follower's logic against a model of L1: a tree of blocks and a best tip.

use super::*;
use crate::{
    block::{builder, Block, HEADER_LEN},
    testing::MemoryStore,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::burn::{BurnPayload, Recipient},
};
use std::cell::{Cell, RefCell};

const GENESIS: L1Hash = L1Hash([0xee; 32]);

/// A model of L1. Block `n` of a branch has time `1000 · n`.
struct Model {
    blocks: RefCell<HashMap<L1Hash, Vec<u8>>>,
    best: RefCell<Vec<L1Hash>>,
    seed: Cell<u8>,
    down: Cell<bool>,
    calls: Cell<u32>,
    /// Which node it is.
    node: Cell<usize>,
    /// Blocks of the best chain that it has not got yet.
    lag: Cell<u32>,
    /// Reorganise when this many more calls have been made.
    ambush: RefCell<Option<(u32, u32, u32)>>,
}

impl Model {
    fn new(height: u32) -> Self {
        let model = Self {
            blocks: RefCell::default(),
            best: RefCell::new(vec![GENESIS]),
            seed: Cell::new(0),
            down: Cell::new(false),
            calls: Cell::new(0),
            node: Cell::new(0),
            lag: Cell::new(0),
            ambush: RefCell::new(None),
        };
        model.mine(height);
        model
    }

    fn mine_with(&self, burns: &[u64]) -> L1Hash {
        let seed = self.seed.get().wrapping_add(1);
        self.seed.set(seed);
        let outputs: Vec<_> = burns
            .iter()
            .map(|&amount| {
                let recipient = Recipient::Account(AccountId::new([1; 32]));
                (amount, BurnPayload { chain_id: 3, recipient, amount }.script())
            })
            .chain([(1, vec![0x51])])
            .collect();
        let mut best = self.best.borrow_mut();
        let time = 1_000 * best.len() as u32;
        let transactions = builder::with_coinbase(&[builder::transaction(seed, &outputs)]);
        let previous = best.last().copied().expect("genesis at least");
        let raw = builder::raw_block_on(previous, time, &transactions);
        let hash = L1Hash::of(&raw[..HEADER_LEN]);
        self.blocks.borrow_mut().insert(hash, raw);
        best.push(hash);
        hash
    }

    fn mine(&self, count: u32) {
        for _ in 0..count {
            self.mine_with(&[]);
        }
    }

    /// Replaces the last `depth` blocks by `count` others.
    fn reorganise(&self, depth: u32, count: u32) {
        let kept = self.best.borrow().len() - depth as usize;
        self.best.borrow_mut().truncate(kept);
        self.mine(count);
    }

    fn hash(&self, height: u32) -> L1Hash {
        self.best.borrow()[height as usize]
    }

    fn height(&self) -> u32 {
        self.best.borrow().len() as u32 - 1
    }

    fn call(&self) -> Result<(), L1Error> {
        self.calls.set(self.calls.get() + 1);
        let due = match &mut *self.ambush.borrow_mut() {
            Some((0, depth, count)) => Some((*depth, *count)),
            Some((left, _, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if let Some((depth, count)) = due {
            *self.ambush.borrow_mut() = None;
            self.reorganise(depth, count);
        }
        if self.down.get() {
            return Err(L1Error::Unreachable { url: "model".into(), reason: "down".into() });
        }
        Ok(())
    }
}

impl L1Source for Model {
    fn tip(&self) -> Result<Tip, L1Error> {
        self.call()?;
        let height = self.height() - self.lag.get();
        Ok(Tip {
            height,
            hash: self.hash(height),
            time: 1_000 * height,
            headers: height,
            syncing: false,
            node: self.node.get(),
        })
    }

    fn hash_at(&self, height: u32) -> Result<Option<L1Hash>, L1Error> {
        self.call()?;
        let there = height <= self.height() - self.lag.get();
        Ok(self.best.borrow().get(height as usize).copied().filter(|_| there))
    }

    fn header(&self, hash: &L1Hash) -> Result<Header, L1Error> {
        self.call()?;
        if *hash == GENESIS {
            let previous = L1Hash::default();
            return Ok(Header { hash: GENESIS, previous, merkle_root: previous, time: 0 });
        }
        let blocks = self.blocks.borrow();
        Ok(Header::read(&blocks[hash][..HEADER_LEN], hash).expect("built right"))
    }

    fn block(&self, hash: &L1Hash) -> Result<Block, L1Error> {
        self.call()?;
        Ok(Block::read(self.blocks.borrow()[hash].clone(), hash).expect("built right"))
    }
}

struct Fixture {
    model: Model,
    store: MemoryStore,
    engine: Engine,
    position: RelayPosition,
}

fn limits(confirmations: u32) -> Limits {
    Limits { confirmations, ..Limits::default() }
}

impl Fixture {
    fn new(height: u32, confirmations: u32) -> Self {
        let store = MemoryStore::default();
        let engine = Engine::load(limits(confirmations), &store);
        let position =
            RelayPosition { attested_height: 0, attested_hash: GENESIS, applied_height: 0 };
        Self { model: Model::new(height), store, engine, position }
    }

    fn step(&mut self) -> Result<Step, L1Error> {
        self.engine.step(&self.model, &self.store, &self.position)
    }

    /// Steps until nothing is left to do; checks that it ends.
    fn settle(&mut self) {
        for _ in 0..500 {
            if !self.step().expect("the model answers").more {
                self.check_store();
                return;
            }
        }
        panic!("the follower does not come to rest");
    }

    fn block(&self, height: u32) -> Option<LocalBlock> {
        read(&self.store, &block_key(height))
    }

    fn tip(&self) -> LocalTip {
        read(&self.store, TIP_KEY).expect("a tip is written")
    }

    fn attest(&mut self, height: u32) {
        let attested_hash = self.model.hash(height);
        self.position =
            RelayPosition { attested_height: height, attested_hash, applied_height: height };
    }

    /// Whatever the tip promises is there, linked, and on L1's best chain.
    fn check_store(&self) {
        let tip = self.tip();
        let mut previous = self.position.attested_hash;
        for height in self.position.attested_height + 1..=tip.readable_height {
            let digest = self.block(height).expect("promised by the tip").digest;
            assert_eq!(digest.height, height);
            assert_eq!(digest.hash, self.model.hash(height), "best chain at {height}");
            assert!(digest.previous == previous || self.engine.fork(&self.position).is_some());
            previous = digest.hash;
        }
    }

    fn confirmations(&self, amount: u64) -> Option<(u32, bool)> {
        let burns = self.engine.seen(&self.position).all();
        let mut found = burns.iter().filter(|burn| burn.value == amount);
        let burn = found.next()?;
        assert!(found.next().is_none(), "listed twice");
        Some((burn.confirmations, burn.readable))
    }
}

#[test]
fn blocks_become_readable_with_k_confirmations_not_earlier() {
    for (k, readable) in [(1, 40), (3, 38), (6, 35)] {
        let mut fixture = Fixture::new(40, k);
        fixture.settle();
        assert_eq!(fixture.tip(), LocalTip { readable_height: readable, height: 40, time: 40_000 });
        assert!(fixture.block(readable).is_some());
        assert_eq!(fixture.block(readable + 1), None);
    }
    let mut young = Fixture::new(2, 6);
    young.settle();
    assert_eq!(young.tip().readable_height, 0);
}

#[test]
fn the_median_time_is_of_eleven_headers_across_the_start() {
    let mut fixture = Fixture::new(40, 1);
    fixture.attest(20);
    fixture.settle();
    // Times rise by 1,000 a block, so the median of 11 is five blocks back.
    assert_eq!(fixture.block(21).expect("read").digest.median_time, 16_000);
    assert_eq!(fixture.block(20), None, "applied blocks are not read");
    let mut early = Fixture::new(3, 1);
    early.settle();
    assert_eq!(early.block(1).expect("read").digest.median_time, 1_000);
}

#[test]
fn a_burn_is_known_from_its_first_confirmation_until_it_is_applied() {
    let mut fixture = Fixture::new(10, 3);
    fixture.settle();
    assert_eq!(fixture.confirmations(77), None);
    fixture.model.mine_with(&[77]);
    for expected in [(1, false), (2, false), (3, true), (4, true)] {
        fixture.settle();
        assert_eq!(fixture.confirmations(77), Some(expected));
        fixture.model.mine(1);
    }
    fixture.attest(11);
    fixture.settle();
    assert_eq!(fixture.confirmations(77), None);
}

#[test]
fn burns_are_found_by_transaction_with_all_their_outputs() {
    let mut fixture = Fixture::new(3, 1);
    fixture.model.mine_with(&[5, 0, 6]);
    fixture.settle();
    let index = fixture.engine.seen(&fixture.position);
    let txid = index.all()[0].outpoint.txid;
    let values: Vec<_> = index.of(&txid).iter().map(|burn| burn.value).collect();
    assert_eq!(values, [5, 0, 6]);
    assert!(index.of(&L1Hash([1; 32])).is_empty());
}

#[test]
fn a_shallow_reorganisation_replaces_what_is_not_attested() {
    let mut fixture = Fixture::new(20, 2);
    fixture.model.mine_with(&[9]);
    fixture.model.mine(2);
    fixture.settle();
    assert_eq!(fixture.confirmations(9), Some((3, true)));
    let lost = fixture.block(21).expect("read").digest.hash;
    fixture.model.reorganise(4, 6);
    fixture.settle();
    assert_ne!(fixture.block(21).expect("read again").digest.hash, lost);
    assert_eq!(fixture.confirmations(9), None, "its block is gone");
    assert_eq!(fixture.tip().readable_height, 24);
}

#[test]
fn a_shorter_branch_lowers_the_tip_before_blocks_go() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    // As `invalidateblock` does: fewer blocks, none new.
    fixture.model.reorganise(5, 0);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 15);
    assert_eq!(fixture.block(16), None);
    fixture.model.mine(7);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 22);
}

#[test]
fn attested_blocks_are_kept_until_the_branch_that_replaces_them_is_longer() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.attest(15);
    fixture.settle();
    let attested = fixture.block(15).expect("kept");
    fixture.model.reorganise(8, 2);
    fixture.settle();
    assert_eq!(fixture.block(15), Some(attested), "its pages may be due");
    assert_eq!(fixture.engine.fork(&fixture.position), None);
}

#[test]
fn a_fork_from_attested_blocks_is_shown_and_read_from_below_it() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.attest(15);
    fixture.settle();
    let attested = fixture.position.attested_hash;
    fixture.model.reorganise(8, 10);
    fixture.settle();
    let fork = fixture.engine.fork(&fixture.position).expect("shown");
    assert_eq!((fork.height, fork.attested), (15, attested));
    assert_eq!(fork.ours, fixture.model.hash(15));
    // The worker finds the whole new branch, and what it has in common with the old one.
    for height in 1..=22 {
        let digest = fixture.block(height).expect("read again").digest;
        assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
    }
    assert_eq!(fixture.tip().readable_height, 22);

    // Once is enough.
    fixture.model.mine(1);
    fixture.model.calls.set(0);
    fixture.settle();
    assert!(fixture.model.calls.get() < 10, "only the new block is read");

    // The relay went back to block 12, which both branches have.
    fixture.attest(12);
    fixture.settle();
    assert_eq!(fixture.engine.fork(&fixture.position), None);
    assert!(fixture.block(13).is_some(), "to be voted for");
}

#[test]
fn a_fork_below_what_is_stored_is_read_too() {
    let mut fixture = Fixture::new(40, 1);
    fixture.attest(30);
    fixture.settle();
    assert_eq!(fixture.block(30), None, "a new node has read nothing below");
    fixture.model.reorganise(15, 18);
    fixture.settle();
    assert!(fixture.engine.fork(&fixture.position).is_some());
    for height in 1..=43 {
        let digest = fixture.block(height).expect("read").digest;
        assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
    }
}

/// As a recovery of L2 has it: L1 did not fork now, and the relay begins again further down.
#[test]
fn r19_2_a_relay_that_goes_back_below_what_is_stored_has_it_read_from_there() {
    let mut fixture = Fixture::new(40, 1);
    fixture.attest(30);
    fixture.settle();
    assert_eq!(fixture.block(30), None, "a new node has read nothing below");
    fixture.attest(20);
    fixture.settle();
    assert_eq!(fixture.engine.fork(&fixture.position), None);
    assert_eq!(fixture.block(20), None);
    for height in 21..=40 {
        let digest = fixture.block(height).expect("read").digest;
        assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
    }
    assert_eq!(fixture.tip().readable_height, 40);
    // Who has it all reads nothing again.
    fixture.attest(35);
    fixture.settle();
    fixture.model.calls.set(0);
    fixture.attest(25);
    fixture.settle();
    assert!(fixture.model.calls.get() < 10);
    assert!(fixture.block(26).is_some());
}

#[test]
fn l1_may_go_back_and_forth_between_branches() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.attest(15);
    fixture.settle();
    for (depth, count) in [(8, 10), (11, 13), (9, 12)] {
        fixture.model.reorganise(depth, count);
        fixture.settle();
        assert!(fixture.engine.fork(&fixture.position).is_some());
        for height in 1..=fixture.model.height() {
            let digest = fixture.block(height).expect("read").digest;
            assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
        }
    }
}

/// Two L1 nodes with a branch each, read in turn: that does not cost all blocks each time.
#[test]
fn a_fork_that_comes_again_is_not_read_from_below_again() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.attest(15);
    fixture.settle();
    let one = fixture.model.best.borrow().clone();
    fixture.model.reorganise(8, 10);
    fixture.settle();
    let other = fixture.model.best.borrow().clone();
    for (branch, forks) in [(&one, false), (&other, true), (&one, false), (&other, true)] {
        *fixture.model.best.borrow_mut() = branch.clone();
        fixture.model.calls.set(0);
        fixture.settle();
        assert_eq!(fixture.engine.fork(&fixture.position).is_some(), forks);
        // All 22 blocks would take two each.
        assert!(fixture.model.calls.get() < 44, "{} calls", fixture.model.calls.get());
    }
    for height in 1..=22 {
        let digest = fixture.block(height).expect("it is kept").digest;
        assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
    }
}

/// But blocks of the attested branch that have taken the place of some would hide where it
/// begins.
#[test]
fn a_fork_that_comes_again_after_part_of_it_was_replaced_is_read_again() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.attest(15);
    fixture.position.applied_height = 12;
    fixture.settle();
    let one = fixture.model.best.borrow().clone();
    fixture.model.reorganise(8, 10);
    fixture.settle();
    let other = fixture.model.best.borrow().clone();
    for branch in [one, other] {
        *fixture.model.best.borrow_mut() = branch;
        fixture.settle();
    }
    assert!(fixture.engine.fork(&fixture.position).is_some());
    for height in 1..=22 {
        let digest = fixture.block(height).expect("read again").digest;
        assert_eq!(digest.hash, fixture.model.hash(height), "block {height}");
    }
}

#[test]
fn reorganisations_while_a_fork_is_read_do_no_harm() {
    for after in 0..80 {
        let mut fixture = Fixture::new(20, 1);
        fixture.settle();
        fixture.attest(15);
        fixture.settle();
        fixture.model.reorganise(8, 10);
        *fixture.model.ambush.borrow_mut() = Some((after, 12, 15));
        for _ in 0..60 {
            let _ = fixture.step().expect("the model answers");
        }
        fixture.settle();
        let linked = (2..=fixture.model.height()).all(|height| {
            let digest = fixture.block(height).expect("read").digest;
            digest.previous == fixture.block(height - 1).expect("read").digest.hash
                && digest.hash == fixture.model.hash(height)
        });
        assert!(linked, "after {after}");
    }
}

#[test]
fn reorganisations_between_any_two_answers_do_no_harm() {
    for after in 0..60 {
        let mut fixture = Fixture::new(12, 2);
        *fixture.model.ambush.borrow_mut() = Some((after, 6, 8));
        for _ in 0..40 {
            let _ = fixture.step().expect("the model answers");
        }
        fixture.settle();
        assert_eq!(fixture.tip().readable_height, fixture.model.height() - 1, "after {after}");
    }
}

#[test]
fn an_outage_costs_nothing_but_time() {
    let mut fixture = Fixture::new(30, 3);
    fixture.step().expect("first batch");
    let before = fixture.tip();
    fixture.model.down.set(true);
    assert!(matches!(fixture.step(), Err(L1Error::Unreachable { .. })));
    assert_eq!(fixture.tip(), before);
    fixture.model.down.set(false);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 28);
}

#[test]
fn a_restart_takes_up_where_it_stopped() {
    let mut fixture = Fixture::new(30, 1);
    fixture.settle();
    fixture.attest(10);
    fixture.model.mine_with(&[4]);
    fixture.model.mine(2);
    fixture.engine = Engine::load(limits(1), &fixture.store);
    fixture.model.calls.set(0);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 33);
    assert!(fixture.model.calls.get() < 25, "only the new blocks are read");
    assert_eq!(fixture.confirmations(4), Some((3, true)));
}

#[test]
fn a_restart_after_a_reorganisation_notices_it() {
    let mut fixture = Fixture::new(30, 1);
    fixture.settle();
    fixture.model.reorganise(5, 8);
    fixture.engine = Engine::load(limits(1), &fixture.store);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 33);
}

#[test]
fn a_chain_that_went_ahead_is_followed_from_where_it_is() {
    let mut fixture = Fixture::new(50, 1);
    fixture.settle();
    fixture.model.mine(50);
    fixture.engine = Engine::load(limits(1), &fixture.store);
    fixture.attest(80);
    fixture.settle();
    assert_eq!(fixture.block(50), None, "what lies before the gap is gone");
    assert_eq!(fixture.block(80), None);
    assert!(fixture.block(81).is_some());
    assert_eq!(fixture.tip().readable_height, 100);
}

#[test]
fn memory_and_storage_stay_bounded() {
    let mut fixture = Fixture::new(60, 1);
    let bounds =
        Limits { confirmations: 1, read_ahead: 20, kept_below: 5, burns: 2, ..Limits::default() };
    fixture.engine = Engine::load(bounds, &fixture.store);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 20, "no further than the read-ahead");
    fixture.attest(15);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 35);
    assert_eq!(fixture.block(9), None, "pruned");
    assert!(fixture.block(10).is_some(), "kept for pages that are due");
    fixture.attest(58);
    fixture.model.mine_with(&[1, 2, 3]);
    fixture.settle();
    assert!(fixture.engine.seen(&fixture.position).all().is_empty(), "too many to remember");
    assert_eq!(fixture.block(61).expect("voted on all the same").digest.event_count, 3);
    assert_eq!(fixture.store.len(), 6, "blocks 59 to 61, tip, floor and version");
}

#[test]
fn damaged_entries_are_read_again() {
    let mut fixture = Fixture::new(10, 1);
    fixture.settle();
    let whole = fixture.block(7);
    fixture.store.set(&block_key(7), b"damaged");
    fixture.engine = Engine::load(limits(1), &fixture.store);
    fixture.settle();
    assert_eq!(fixture.block(7), whole);
}

#[test]
fn what_was_extracted_by_other_rules_is_read_again() {
    let mut fixture = Fixture::new(20, 1);
    fixture.model.mine_with(&[7]);
    fixture.settle();
    let whole = fixture.block(21).expect("read");
    // Other rules saw nothing in it. They had another number, or none.
    let digest = L1BlockDigest { event_count: 0, pages_root: Default::default(), ..whole.digest };
    let theirs = LocalBlock { digest, pages: vec![] };
    for number in [Some(EXTRACTION + 1), None] {
        fixture.store.set(&block_key(21), &theirs.encode());
        match number {
            Some(number) => fixture.store.set(EXTRACTION_KEY, &number.encode()),
            None => fixture.store.remove(EXTRACTION_KEY),
        }
        fixture.engine = Engine::load(limits(1), &fixture.store);
        assert_eq!(fixture.store.len(), 1, "nothing but our number, which no tip promises");
        fixture.settle();
        assert_eq!(fixture.block(21), Some(whole.clone()));
        assert_eq!(fixture.confirmations(7), Some((1, true)));
    }
}

/// What a crash in the middle of it leaves is removed by the next start.
#[test]
fn starting_over_survives_a_crash() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    for height in 11..=20 {
        fixture.store.remove(&block_key(height));
    }
    fixture.store.remove(TIP_KEY);
    fixture.store.remove(EXTRACTION_KEY);
    fixture.engine = Engine::load(limits(1), &fixture.store);
    assert_eq!(fixture.store.len(), 1);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 20);
}

/// Another node of ours stands in for one that failed, and has not got all of its blocks yet.
#[test]
fn a_node_that_is_behind_takes_nothing_back() {
    let mut fixture = Fixture::new(20, 2);
    fixture.model.mine_with(&[9]);
    fixture.model.mine(2);
    fixture.settle();
    let before = (fixture.tip(), fixture.block(22));
    assert!(before.1.is_some());
    fixture.model.node.set(1);
    fixture.model.lag.set(4);
    for _ in 0..3 {
        let step = fixture.step().expect("the model answers");
        assert_eq!((step.behind, step.more), (Some(4), false));
        assert_eq!((fixture.tip(), fixture.block(22)), before);
        assert_eq!(fixture.confirmations(9), Some((3, true)));
    }
    fixture.model.lag.set(0);
    fixture.model.mine(1);
    fixture.settle();
    assert_eq!(fixture.step().expect("the model answers").behind, None);
    assert_eq!(fixture.tip().readable_height, 23);

    // What the same node takes back is gone, as after `invalidateblock`.
    fixture.model.lag.set(4);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 19);
    assert_eq!(fixture.block(22), None);
}

#[test]
fn a_node_with_fewer_and_other_blocks_is_followed() {
    let mut fixture = Fixture::new(20, 1);
    fixture.settle();
    fixture.model.node.set(1);
    fixture.model.reorganise(5, 3);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 18);
    assert_eq!(fixture.tip().height, 18);
}

#[test]
fn catching_up_goes_on_with_a_node_that_is_behind() {
    let mut fixture = Fixture::new(60, 1);
    fixture.step().expect("first batch");
    let read = fixture.block(10).expect("read");
    fixture.model.node.set(1);
    fixture.model.lag.set(5);
    fixture.model.calls.set(0);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 55);
    assert_eq!(fixture.block(10), Some(read));
    assert!(fixture.model.calls.get() < 45 * 4, "nothing is read twice");
    fixture.model.lag.set(0);
    fixture.settle();
    assert_eq!(fixture.tip().readable_height, 60);
}

/// Attack: L1 blocks full of burns, for hours. A hundred of them stand for thousands here.
#[test]
fn what_is_stored_has_a_limit_in_bytes_whatever_l1_contains() {
    const LIMIT: usize = 50_000;
    let mut fixture = Fixture::new(0, 1);
    for _ in 0..40 {
        fixture.model.mine_with(&[1; 100]);
    }
    let bounds = Limits { confirmations: 1, stored_bytes: LIMIT, ..Limits::default() };
    fixture.engine = Engine::load(bounds, &fixture.store);
    fixture.settle();
    let size = fixture.block(1).expect("read").encoded_size();
    let first = LIMIT.div_ceil(size);
    assert!((2..30).contains(&first), "the test is about some of the blocks: {size}");
    assert_eq!(fixture.tip().readable_height as usize, first, "no more than fits");

    let stored = |fixture: &Fixture| -> usize {
        (1..=40).filter_map(|height| fixture.block(height)).map(|b| b.encoded_size()).sum()
    };
    let digest = fixture.block(1).expect("read").digest;
    for height in 1..=40 {
        let due = fixture.block(height).expect("what is to be attested is there");
        assert!(!due.pages.is_empty(), "and its pages, block {height}");
        fixture.attest(height);
        for _ in 0..3 {
            fixture.settle();
        }
        assert!(stored(&fixture) < LIMIT + 2 * size, "{} bytes", stored(&fixture));
    }
    assert_eq!(fixture.tip().readable_height, 40);
    let bare = fixture.block(1).expect("its digest stays");
    assert_eq!((bare.digest, bare.pages.len()), (digest, 0));

    // A program that starts anew knows what it has not got.
    fixture.engine = Engine::load(bounds, &fixture.store);
    // The relay goes back: pages that were removed are due again.
    fixture.attest(2);
    fixture.settle();
    for height in 3..=first as u32 {
        let again = fixture.block(height).expect("read again");
        assert!(!again.pages.is_empty(), "block {height}");
    }
    assert!(stored(&fixture) < LIMIT + 2 * size);
}
