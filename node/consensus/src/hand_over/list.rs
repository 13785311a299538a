//! What was accepted on this node.

use super::AcceptedHandOver;
use crate::authority_sets::AuthoritySets;
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    hand_over::HandOver,
};
use codec::{Decode, Encode};
use parking_lot::RwLock;
use sc_client_api::AuxStore;
use sp_core::H256;
use std::{cmp::Reverse, sync::Arc};

/// What the keys of all begin with; the place follows, big endian.
const PREFIX: &[u8] = b"cascoin-l2/hand-over/1/";

/// The stored hand-overs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HandOversError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// One of them cannot be read.
    #[error("stored hand-overs are damaged: {0}")]
    Damaged(#[from] codec::Error),
}

/// All hand-overs that were accepted on this node, oldest first. Clones are the same list.
#[derive(Clone, Default)]
pub struct HandOvers(Arc<RwLock<Vec<Entry>>>);

struct Entry {
    id: H256,
    hand_over: Arc<HandOver>,
    /// Its set is among the authority sets.
    took_over: bool,
    /// The state behind its base does not take it, so nothing ever comes of it.
    refused: bool,
}

impl Entry {
    fn waiting(hand_over: HandOver) -> Self {
        let id = hand_over.id();
        Self { id, hand_over: Arc::new(hand_over), took_over: false, refused: false }
    }

    fn is_waiting(&self) -> bool {
        !self.took_over && !self.refused
    }
}

impl HandOvers {
    /// The stored list. `sets` knows which of them took over.
    ///
    /// # Errors
    /// [`HandOversError`].
    pub fn load(store: &impl AuxStore, sets: &AuthoritySets) -> Result<Self, HandOversError> {
        let mut entries = Vec::new();
        // Each was written behind the one before, so the first gap is the end.
        while let Some(bytes) = store.get_aux(&key(entries.len()))? {
            let entry = Entry::waiting(HandOver::decode(&mut &bytes[..])?);
            let took_over = sets.has_hand_over(&entry.id);
            entries.push(Entry { took_over, ..entry });
        }
        Ok(Self(Arc::new(RwLock::new(entries))))
    }

    /// All of them, oldest first.
    pub fn accepted(&self) -> Vec<AcceptedHandOver> {
        let entries = self.0.read();
        let show = |entry: &Entry| AcceptedHandOver {
            hand_over: (*entry.hand_over).clone(),
            in_force: in_force(&entries, &entry.hand_over.base.hash)
                .is_some_and(|ruling| ruling.id == entry.id),
        };
        entries.iter().map(show).collect()
    }

    /// The one in force behind a block.
    pub fn on(&self, base: &BlockHash) -> Option<Arc<HandOver>> {
        in_force(&self.0.read(), base).map(|entry| entry.hand_over.clone())
    }

    /// One by its id.
    pub(crate) fn find(&self, id: &H256) -> Option<AcceptedHandOver> {
        self.accepted().into_iter().find(|one| one.hand_over.id() == *id)
    }

    /// Another one on its base that stands in its way: with its set id or a higher one, and in
    /// force or yet to come into force.
    pub(crate) fn rival(&self, hand_over: &HandOver) -> Option<H256> {
        let (id, base) = (hand_over.id(), &hand_over.base);
        let entries = self.0.read();
        let of_base = entries.iter().filter(|entry| entry.hand_over.base.hash == base.hash);
        let mut rivals = of_base.filter(|entry| {
            entry.id != id && entry.hand_over.base.set_id >= base.set_id && !entry.refused
        });
        rivals.next().map(|rival| rival.id)
    }

    /// Those that were accepted before their base, this block, was final, and are above what is
    /// in force: the highest set id first. Without those that the state does not take.
    pub(crate) fn waiting_on(&self, base: &BlockHash) -> Vec<Arc<HandOver>> {
        let entries = self.0.read();
        let ruling = in_force(&entries, base).map(|entry| entry.hand_over.base.set_id);
        let waits = |entry: &&Entry| {
            let own = &entry.hand_over.base;
            own.hash == *base && entry.is_waiting() && Some(own.set_id) > ruling
        };
        let mut waiting: Vec<_> =
            entries.iter().filter(waits).map(|entry| entry.hand_over.clone()).collect();
        waiting.sort_by_key(|hand_over| Reverse(hand_over.base.set_id));
        waiting
    }

    /// Whether one is to come into force behind this block, and nobody knows of which set the
    /// height above it is until it has: nothing is signed or taken there meanwhile.
    pub(crate) fn is_waited_for(&self, base: &BlockHash) -> bool {
        !self.waiting_on(base).is_empty()
    }

    /// The lowest base of one that waits, from the finalized head up to below a block.
    pub(crate) fn waiting_below(
        &self,
        head: BlockNumber,
        number: BlockNumber,
    ) -> Option<BlockNumber> {
        let entries = self.0.read();
        let waiting = entries.iter().filter(|entry| entry.is_waiting());
        let bases = waiting.map(|entry| entry.hand_over.base.number);
        bases.filter(|base| (head..number).contains(base)).min()
    }

    /// How to store one: at its own place, if one with its id is there already.
    pub(crate) fn entry(&self, hand_over: &HandOver) -> (Vec<u8>, Vec<u8>) {
        let (id, entries) = (hand_over.id(), self.0.read());
        let known = entries.iter().position(|entry| entry.id == id);
        (key(known.unwrap_or(entries.len())), hand_over.encode())
    }

    /// Puts one that is stored at its place. It waits for its base.
    pub(crate) fn put(&self, hand_over: HandOver) {
        let (new, mut entries) = (Entry::waiting(hand_over), self.0.write());
        match entries.iter_mut().find(|entry| entry.id == new.id) {
            Some(known) => *known = new,
            None => entries.push(new),
        }
    }

    /// The state behind its base does not take it. It is found out anew after a restart.
    pub(crate) fn is_refused(&self, id: &H256) {
        let mut entries = self.0.write();
        entries.iter_mut().filter(|entry| entry.id == *id).for_each(|entry| entry.refused = true);
    }

    /// Its set is among the authority sets, and stored.
    pub(crate) fn has_taken_over(&self, id: &H256) {
        let mut entries = self.0.write();
        entries.iter_mut().filter(|entry| entry.id == *id).for_each(|entry| entry.took_over = true);
    }
}

/// Of those that took over on one base the last set id is in force.
fn in_force<'a>(entries: &'a [Entry], base: &BlockHash) -> Option<&'a Entry> {
    let of_base = |entry: &&Entry| entry.took_over && entry.hand_over.base.hash == *base;
    entries.iter().filter(of_base).max_by_key(|entry| entry.hand_over.base.set_id)
}

/// The key of the one at a place.
fn key(place: usize) -> Vec<u8> {
    [PREFIX, &(place as u64).to_be_bytes()].concat()
}

#[cfg(test)]
pub(crate) mod testing {
    use cascoin_l2_primitives::{
        hand_over::{Consent, HandOver, HandOverBase},
        l1::L1Hash,
    };
    use sp_core::{ed25519, H256};
    use sp_runtime::BoundedVec;

    /// A hand-over from block `number`, whose hash repeats `hash`, to two accounts.
    pub(crate) fn hand_over(number: u32, hash: u8, set_id: u64, first: u8) -> HandOver {
        let consent = |account: u8| Consent {
            account: [account; 32].into(),
            signature: ed25519::Signature::from_raw([account; 64]),
        };
        HandOver {
            base: HandOverBase {
                number,
                hash: H256::repeat_byte(hash),
                set_id,
                l1_block: L1Hash([2; 32]),
                txid: L1Hash([4; 32]),
            },
            consents: BoundedVec::truncate_from(vec![consent(first), consent(first + 1)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::hand_over, *};
    use cascoin_l2_primitives::chain::{OpaqueBlock, SequencerSet};
    use sc_client_api::in_mem::Blockchain;
    use sp_core::ed25519;

    fn store(database: &Blockchain<OpaqueBlock>, list: &HandOvers, hand_over: &HandOver) {
        let (key, value) = list.entry(hand_over);
        assert_eq!(database.get_aux(&key).unwrap(), None, "it overwrites none");
        database.insert_aux(&[(key.as_slice(), value.as_slice())], &[]).unwrap();
        list.put(hand_over.clone());
    }

    /// R17.6: what was accepted is there after a restart, and in force if its set was stored.
    #[test]
    fn r17_6_what_was_accepted_outlasts_the_process() {
        let database = Blockchain::<OpaqueBlock>::new();
        let mut sets = AuthoritySets::genesis(Vec::new());
        let list = HandOvers::load(&database, &sets).unwrap();
        assert_eq!(list.accepted(), []);
        let (one, two) = (hand_over(7, 1, 3, 1), hand_over(9, 2, 4, 1));
        store(&database, &list, &one);
        store(&database, &list, &two);
        assert_eq!((list.on(&one.base.hash), list.on(&two.base.hash)), (None, None));
        let set = SequencerSet { set_id: 3, members: Vec::new() };
        let new = sets.handed_over(&one, &set).unwrap();
        sets.add(new);
        list.has_taken_over(&one.id());

        for list in [list, HandOvers::load(&database, &sets).unwrap()] {
            let shown = list.accepted();
            let shown: Vec<_> = shown.iter().map(|one| (&one.hand_over, one.in_force)).collect();
            assert_eq!(shown, [(&one, true), (&two, false)]);
            assert_eq!(list.on(&one.base.hash).as_deref(), Some(&one));
            assert_eq!(list.on(&two.base.hash), None);
            assert_eq!(list.find(&two.id()).unwrap().hand_over, two);
            assert!(list.waiting_on(&one.base.hash).is_empty());
            let waiting = list.waiting_on(&two.base.hash);
            assert_eq!(waiting.iter().map(|one| one.id()).collect::<Vec<_>>(), [two.id()]);
        }
        let damaged = [PREFIX, &2u64.to_be_bytes()].concat();
        database.insert_aux(&[(damaged.as_slice(), &[1u8, 2][..])], &[]).unwrap();
        assert!(matches!(HandOvers::load(&database, &sets), Err(HandOversError::Damaged(_))));
    }

    /// R17.6: on one base a higher set id replaces a lower one, and nothing else does.
    #[test]
    fn r17_6_of_several_on_one_base_the_highest_set_id_holds() {
        let list = HandOvers::default();
        let (low, high) = (hand_over(7, 1, 3, 1), hand_over(7, 1, 5, 1));
        list.put(low.clone());
        list.has_taken_over(&low.id());
        assert_eq!(list.rival(&high), None);
        assert_eq!(list.rival(&low), None, "it is no rival of itself");
        list.put(high.clone());
        assert_eq!(list.waiting_on(&high.base.hash)[0].id(), high.id());
        assert_eq!(list.on(&low.base.hash).as_deref(), Some(&low));
        list.has_taken_over(&high.id());
        assert_eq!(list.on(&low.base.hash).as_deref(), Some(&high));
        let in_force: Vec<_> = list.accepted().iter().map(|one| one.in_force).collect();
        assert_eq!(in_force, [false, true]);
        let other_accounts = hand_over(7, 1, 5, 3);
        assert_eq!(list.rival(&other_accounts), Some(high.id()));
        assert_eq!(list.rival(&hand_over(7, 1, 4, 1)), Some(high.id()));
        assert_eq!(list.rival(&hand_over(7, 1, 6, 1)), None);
        assert_eq!(list.rival(&hand_over(7, 9, 4, 1)), None, "another base");
        // One that waits stands in the way until it is known that the state does not take it.
        let waits = hand_over(20, 8, 7, 1);
        list.put(waits.clone());
        assert_eq!(list.rival(&hand_over(20, 8, 7, 2)), Some(waits.id()));
        assert_eq!(list.rival(&hand_over(20, 8, 8, 2)), None);
        assert!(list.is_waited_for(&waits.base.hash));
        assert_eq!((list.waiting_below(0, 20), list.waiting_below(0, 21)), (None, Some(20)));
        assert_eq!((list.waiting_below(20, 21), list.waiting_below(21, 30)), (Some(20), None));
        list.is_refused(&waits.id());
        assert_eq!(list.rival(&hand_over(20, 8, 7, 2)), None);
        assert!(!list.is_waited_for(&waits.base.hash));
        assert_eq!(list.waiting_below(0, 21), None);
    }

    /// R17.6: what was accepted with wrong signatures is replaced by the right ones, on disk as
    /// in memory: the id, which operators compare, is the same.
    #[test]
    fn r17_6_other_signatures_take_the_place_of_the_first_ones() {
        let database = Blockchain::<OpaqueBlock>::new();
        let sets = AuthoritySets::genesis(Vec::new());
        let list = HandOvers::load(&database, &sets).unwrap();
        let (good, behind) = (hand_over(7, 1, 3, 1), hand_over(9, 2, 4, 1));
        let mut bad = good.clone();
        bad.consents[0].signature = ed25519::Signature::from_raw([9; 64]);
        store(&database, &list, &bad);
        store(&database, &list, &behind);
        list.is_refused(&bad.id());

        let (key, value) = list.entry(&good);
        assert!(database.get_aux(&key).unwrap().is_some(), "it overwrites the first one");
        database.insert_aux(&[(key.as_slice(), value.as_slice())], &[]).unwrap();
        list.put(good.clone());
        assert!(list.is_waited_for(&good.base.hash), "it is as new");
        for list in [list, HandOvers::load(&database, &sets).unwrap()] {
            let all = list.accepted().into_iter().map(|one| one.hand_over);
            assert_eq!(all.collect::<Vec<_>>(), [good.clone(), behind.clone()]);
        }
    }
}
