//! What leaders bring: a header, pages of the old state, blocks to be repeated.

use crate::{
    pallet::{Advanced, Config, Error, Event, Fallen, Pallet, Running, UserBlocks},
    types::Phase,
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::Header,
    recovery::{
        read_events, read_page, restore, Books, Cursor, Fall, FallenTransaction, Ledger, Outcome,
        Past, RecoveryStep, Replay, State, Verdict, Wanted, MAX_EVENTS_BYTES, MAX_EVENTS_NODES,
        MAX_FALLEN, MAX_KEYS_PER_STEP, MAX_PAGE_BYTES, MAX_PAGE_NODES,
    },
};
use core::marker::PhantomData;
use frame_support::{ensure, storage::unhashed, traits::Get, weights::Weight};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use sp_trie::StorageProof;

impl<T: Config> Pallet<T> {
    /// What the next block's leader may bring.
    pub fn recovery_wanted() -> Option<Wanted> {
        let run = Running::<T>::get()?;
        let hash = run.since.hash;
        match run.phase {
            Phase::Restoring { root: None, .. } => Some(Wanted::Point { hash }),
            Phase::Restoring { root: Some(_), cursor } => {
                let parts = T::Books::parts();
                let prefix = cursor.due(&parts)?.to_vec();
                let (max_keys, max_bytes) = (MAX_KEYS_PER_STEP, MAX_PAGE_BYTES);
                Some(Wanted::Page { hash, prefix, after: cursor.after, max_keys, max_bytes })
            }
            Phase::Replaying { next } => {
                let number = next.due().filter(|due| T::Books::may_repeat(due.block))?.block;
                UserBlocks::<T>::get(number).map(|hash| Wanted::Block { number, hash })
            }
            Phase::Mending { .. } | Phase::L1Again => None,
        }
    }

    /// Whether a step is of the kind and the block that are wanted; what is in it is not
    /// looked at.
    pub(crate) fn wants(step: &RecoveryStep) -> bool {
        match (Self::recovery_wanted(), step) {
            (Some(Wanted::Point { hash }), RecoveryStep::Point(header)) => header.hash() == hash,
            (Some(Wanted::Page { .. }), RecoveryStep::Page(_)) => true,
            (Some(Wanted::Block { hash, .. }), RecoveryStep::Block { header, .. }) => {
                header.hash() == hash
            }
            _ => false,
        }
    }

    /// The most that a step may weigh.
    pub(crate) fn most_of_step(step: &RecoveryStep) -> Weight {
        match step {
            RecoveryStep::Point(_) => T::WeightInfo::point(),
            RecoveryStep::Page(_) => Self::page_weight(MAX_KEYS_PER_STEP),
            // The first transaction is repeated whatever it weighs; a block had room for it,
            // which is twice the budget.
            RecoveryStep::Block { events, .. } => T::WeightInfo::body()
                .saturating_add(Self::events_weight(bytes_of(events)))
                .saturating_add(T::ReplayBudget::get().saturating_mul(2)),
        }
    }

    fn page_weight(keys: u32) -> Weight {
        let merged = T::Books::merge_weight().saturating_mul(keys.into());
        T::WeightInfo::page(keys).saturating_add(merged)
    }

    // No more is read than there may be.
    fn events_weight(bytes: u32) -> Weight {
        let bytes = bytes.min(MAX_EVENTS_BYTES);
        T::WeightInfo::events(bytes).saturating_add(T::Books::outcomes_weight(bytes))
    }

    /// Takes the step that is due; returns what it weighed.
    pub(crate) fn take_step(step: RecoveryStep) -> Result<Weight, Error<T>> {
        let mut run = Running::<T>::get().ok_or(Error::<T>::NotWanted)?;
        ensure!(!Advanced::<T>::get(), Error::<T>::OneStepABlock);
        let weight = match (&mut run.phase, step) {
            (Phase::Restoring { root, .. }, RecoveryStep::Point(header)) => {
                ensure!(root.is_none(), Error::<T>::NotWanted);
                ensure!(header.hash() == run.since.hash, Error::<T>::WrongBlock);
                *root = Some(header.state_root);
                T::WeightInfo::point()
            }
            (Phase::Restoring { root: Some(root), cursor }, RecoveryStep::Page(nodes)) => {
                Self::restore_page(root, cursor, nodes)?
            }
            (Phase::Replaying { next }, RecoveryStep::Block { header, body, events }) => {
                let (counts, weight) = Self::replay(next, &header, body, events, run.fell)?;
                run.held = run.held.saturating_add(counts.held);
                run.fell = run.fell.saturating_add(counts.fell);
                weight
            }
            _ => return Err(Error::<T>::NotWanted),
        };
        run.moved_at = Self::now();
        Running::<T>::put(run);
        Advanced::<T>::put(true);
        Ok(weight)
    }

    fn restore_page(
        root: &H256,
        cursor: &mut Cursor,
        nodes: Vec<Vec<u8>>,
    ) -> Result<Weight, Error<T>> {
        let parts = T::Books::parts();
        let prefix = cursor.due(&parts).ok_or(Error::<T>::NotWanted)?;
        ensure!(fits(&nodes, MAX_PAGE_NODES, MAX_PAGE_BYTES), Error::<T>::PageTooLarge);
        let proof = StorageProof::new(nodes);
        let page = read_page(root, &proof, prefix, cursor.after.as_deref())
            .map_err(|_| Error::<T>::BadPage)?;
        let mut state = Merged::<T>(PhantomData);
        let keys = restore(&mut state, &parts, cursor, &page, MAX_KEYS_PER_STEP)
            .map_err(|_| Error::<T>::BadPage)?;
        Ok(Self::page_weight(keys))
    }

    // Repeats transactions of the block that is due, as many as the budget has room for.
    // `fell` is how many fell before.
    fn replay(
        next: &mut Replay,
        header: &Header,
        body: Vec<Vec<u8>>,
        events: Vec<Vec<u8>>,
        fell: u32,
    ) -> Result<(Counts, Weight), Error<T>> {
        let number = next.due().ok_or(Error::<T>::NotWanted)?.block;
        ensure!(T::Books::may_repeat(number), Error::<T>::NotWanted);
        let hash = UserBlocks::<T>::get(number).ok_or(Error::<T>::NotWanted)?;
        ensure!(header.hash() == hash, Error::<T>::WrongBlock);
        let version = T::Version::get().extrinsics_root_state_version();
        let root = BlakeTwo256::ordered_trie_root(body.clone(), version);
        ensure!(root == header.extrinsics_root, Error::<T>::WrongBody);

        let own = T::WeightInfo::body().saturating_add(Self::events_weight(bytes_of(&events)));
        let users = Self::users_of(body, &Self::outcomes(header, events)?);
        let budget = T::ReplayBudget::get();
        let mut ledger = Repeated::<T> { used: Weight::zero(), of: PhantomData };
        let mut counts = Counts::default();
        while let Some(due) = next.due().filter(|due| due.block == number) {
            let past = usize::try_from(due.index).ok().and_then(|index| users.get(index));
            if let Some(past) = past {
                let after = ledger.used.saturating_add(Self::past_weight(past));
                if ledger.used != Weight::zero() && !after.all_lte(budget) {
                    break;
                }
            }
            next.step(&mut ledger, &users, 1, |place, past, verdict| match verdict {
                Verdict::Holds => counts.held = counts.held.saturating_add(1),
                Verdict::HadFailed => (),
                Verdict::Fell(fall) => {
                    let index = fell.saturating_add(counts.fell);
                    counts.fell = counts.fell.saturating_add(1);
                    Self::tell(
                        index,
                        FallenTransaction {
                            place,
                            hash: BlakeTwo256::hash(&past.transaction),
                            sender: T::Books::signer(&past.transaction),
                            fall,
                        },
                    );
                }
            })
            .map_err(|_| Error::<T>::NotWanted)?;
        }
        Ok((counts, own.saturating_add(ledger.used)))
    }

    // What became of a block's transactions, by its own events.
    fn outcomes(header: &Header, events: Vec<Vec<u8>>) -> Result<Vec<(u32, Outcome)>, Error<T>> {
        ensure!(fits(&events, MAX_EVENTS_NODES, MAX_EVENTS_BYTES), Error::<T>::EventsTooLarge);
        let events = read_events(&header.state_root, events).map_err(|_| Error::<T>::BadEvents)?;
        // A block without any has no transactions that failed.
        if events.is_empty() {
            return Ok(Vec::new());
        }
        T::Books::outcomes(&events).ok_or(Error::<T>::BadEvents)
    }

    // Users' transactions of a block, and what became of them.
    fn users_of(body: Vec<Vec<u8>>, outcomes: &[(u32, Outcome)]) -> Vec<Past<Vec<u8>>> {
        (0u32..)
            .zip(body)
            .filter(|(_, transaction)| T::Books::signer(transaction).is_some())
            .map(|(index, transaction)| {
                let noted = outcomes.binary_search_by_key(&index, |(index, _)| *index);
                let noted = noted.ok().and_then(|place| outcomes.get(place));
                let outcome = noted.map_or(Outcome::Succeeded, |(_, outcome)| *outcome);
                Past { transaction, outcome }
            })
            .collect()
    }

    // The most that a transaction takes.
    fn past_weight(past: &Past<Vec<u8>>) -> Weight {
        match past.outcome {
            Outcome::Succeeded => Self::repeat_weight(&past.transaction),
            Outcome::PartlyFailed | Outcome::Failed => Self::pass_over_weight(),
        }
    }

    // Whether it had failed in part, which is told, makes little of it.
    fn pass_over_weight() -> Weight {
        T::Books::use_up_weight().saturating_add(T::WeightInfo::tell())
    }

    fn repeat_weight(transaction: &[u8]) -> Weight {
        T::Books::weight(transaction).saturating_add(T::WeightInfo::tell())
    }

    pub(crate) fn tell(index: u32, fallen: FallenTransaction) {
        Fallen::<T>::insert(Self::fallen_slot(index), &fallen);
        let FallenTransaction { place, hash, sender, fall } = fallen;
        Self::deposit_event(Event::Fell { index, place, hash, sender, fall });
    }

    /// Where the fallen transaction of this number is kept.
    pub(crate) fn fallen_slot(index: u32) -> u32 {
        index % MAX_FALLEN
    }
}

/// Bytes of all these nodes together.
fn bytes_of(nodes: &[Vec<u8>]) -> u32 {
    let bytes = nodes.iter().fold(0, |sum: usize, node| sum.saturating_add(node.len()));
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Whether there are no more nodes than `count`, of no more than `bytes`.
fn fits(nodes: &[Vec<u8>], count: u32, bytes: u32) -> bool {
    u32::try_from(nodes.len()).is_ok_and(|nodes| nodes <= count) && bytes_of(nodes) <= bytes
}

/// What became of the transactions of a step.
#[derive(Default)]
struct Counts {
    held: u32,
    fell: u32,
}

/// The chain's state. What a key gets may be neither what it had nor what it has.
struct Merged<T>(PhantomData<T>);

impl<T: Config> Merged<T> {
    fn merge(key: &[u8], old: Option<Vec<u8>>) {
        match T::Books::merge(key, old, unhashed::get_raw(key)) {
            Some(value) => unhashed::put_raw(key, &value),
            None => unhashed::kill(key),
        }
    }
}

impl<T: Config> State for Merged<T> {
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        sp_io::storage::next_key(after)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        unhashed::get_raw(key)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        Self::merge(key, Some(value.to_vec()));
    }

    fn remove(&mut self, key: &[u8]) {
        Self::merge(key, None);
    }
}

/// The books, and what was done to them.
struct Repeated<T> {
    used: Weight,
    of: PhantomData<T>,
}

impl<T: Config> Ledger for Repeated<T> {
    type Transaction = Vec<u8>;
    type Refusal = Fall;

    fn apply(&mut self, transaction: &Vec<u8>) -> Result<(), Fall> {
        let result = T::Books::repeat(transaction);
        let used = match &result {
            Ok(weight) => weight.saturating_add(T::WeightInfo::tell()),
            // How far it came is not known.
            Err(_) => Pallet::<T>::repeat_weight(transaction),
        };
        self.used = self.used.saturating_add(used);
        result.map(|_| ())
    }

    fn pass_over(&mut self, transaction: &Vec<u8>) {
        T::Books::use_up(transaction);
        self.used = self.used.saturating_add(Pallet::<T>::pass_over_weight());
    }

    fn in_part() -> Fall {
        Fall::PartlyFailed
    }
}
