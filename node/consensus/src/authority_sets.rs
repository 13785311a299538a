//! Which sequencers certify which height, from headers alone.
//!
//! A header at `h` with a `ScheduledChange` digest names the set from `h + 1`
//! on. The sets are kept in the database's auxiliary store, each under its place
//! in their order, and a new one is written in the same transaction as the block,
//! so that certificates can be checked without any state: for blocks whose state
//! is pruned, and after a warp sync.

use cascoin_l2_primitives::chain::{BlockNumber, Header};
use codec::{Decode, Encode};
use sc_client_api::AuxStore;
use sp_consensus_grandpa::{AuthorityId, ConsensusLog, ScheduledChange, GRANDPA_ENGINE_ID};
use sp_runtime::traits::Header as _;

/// What the keys of all sets begin with; the place follows, big endian.
const PREFIX: &[u8] = b"cascoin-l2/authority-sets/2/";

/// The keys that certify blocks from one height on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuthoritySet {
    /// First height it certifies.
    pub first: BlockNumber,
    /// Its id; grows by one with each set.
    pub set_id: u64,
    /// The grandpa keys, in the order of the authority set.
    pub members: Vec<AuthorityId>,
}

/// All sets since genesis, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoritySets(Vec<AuthoritySet>);

/// A set that comes behind all others, and how to store it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSet {
    set: AuthoritySet,
    /// Its key in the auxiliary store.
    pub key: Vec<u8>,
    /// What stands there.
    pub value: Vec<u8>,
}

/// The stored sets are missing or unreadable.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritySetsError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// A stored set cannot be read.
    #[error("stored authority sets are damaged: {0}")]
    Damaged(#[from] codec::Error),
}

impl AuthoritySets {
    /// The list of a chain that begins with `members`.
    pub fn genesis(members: Vec<AuthorityId>) -> Self {
        Self(vec![AuthoritySet { first: 1, set_id: 0, members }])
    }

    /// The stored list; if there is none, that of genesis, which it stores.
    ///
    /// # Errors
    /// [`AuthoritySetsError`].
    pub fn load(
        store: &impl AuxStore,
        genesis: impl FnOnce() -> Vec<AuthorityId>,
    ) -> Result<Self, AuthoritySetsError> {
        let mut sets = Vec::new();
        // Each was written behind the one before, so the first gap is the end.
        while let Some(bytes) = store.get_aux(&key(sets.len()))? {
            sets.push(AuthoritySet::decode(&mut &bytes[..])?);
        }
        if !sets.is_empty() {
            return Ok(Self(sets));
        }
        let sets = Self::genesis(genesis());
        let first: Vec<_> = sets.0.iter().map(Encode::encode).collect();
        for (place, set) in first.iter().enumerate() {
            store.insert_aux(&[(key(place).as_slice(), set.as_slice())], &[])?;
        }
        Ok(sets)
    }

    /// The set that certifies `height`.
    pub fn at(&self, height: BlockNumber) -> &AuthoritySet {
        let position = self.0.partition_point(|set| set.first <= height);
        &self.0[position.saturating_sub(1)]
    }

    /// Whether `set` is the last one known.
    pub fn is_newest(&self, set: &AuthoritySet) -> bool {
        self.0.last().is_some_and(|last| last.first == set.first)
    }

    /// The blocks above `begin` and up to `end` that change the set, oldest first,
    /// each with the set that it puts in force.
    pub fn changes_between(
        &self,
        begin: BlockNumber,
        end: BlockNumber,
    ) -> impl DoubleEndedIterator<Item = (BlockNumber, &AuthoritySet)> {
        // The first set is that of genesis; nothing changed to it.
        self.0.iter().skip(1).filter_map(move |set| {
            let at = set.first.checked_sub(1)?;
            (begin < at && at <= end).then_some((at, set))
        })
    }

    /// The set that `header` puts in force; `None` if it changes nothing (that
    /// includes a change that is known already).
    pub fn after(&self, header: &Header) -> Option<NewSet> {
        let change = scheduled_change(header)?;
        let first = header.number().checked_add(1)?;
        if self.0.iter().any(|set| set.first == first) {
            return None;
        }
        let set_id = self.at(*header.number()).set_id + 1;
        let members = change.next_authorities.into_iter().map(|(id, _)| id).collect();
        let set = AuthoritySet { first, set_id, members };
        Some(NewSet { key: key(self.0.len()), value: set.encode(), set })
    }

    /// Adds a set that [`after`](Self::after) found and that is stored.
    pub fn add(&mut self, new: NewSet) {
        self.0.push(new.set);
    }
}

/// The key of the set at a place.
fn key(place: usize) -> Vec<u8> {
    [PREFIX, &(place as u64).to_be_bytes()].concat()
}

/// The change of the set that a header announces.
pub fn scheduled_change(header: &Header) -> Option<ScheduledChange<BlockNumber>> {
    header.digest().logs().iter().find_map(|log| {
        match log.consensus_try_to::<ConsensusLog<BlockNumber>>(&GRANDPA_ENGINE_ID)? {
            ConsensusLog::ScheduledChange(change) => Some(change),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::OpaqueBlock;
    use sc_client_api::in_mem::Blockchain;
    use sp_core::{crypto::UncheckedFrom, ed25519, H256};
    use sp_runtime::{generic::DigestItem, Digest};

    fn ids(seed: u8) -> Vec<AuthorityId> {
        vec![ed25519::Public::unchecked_from([seed; 32]).into()]
    }

    fn header(number: u32, change: Option<u8>) -> Header {
        let logs = change
            .map(|seed| {
                let next_authorities = ids(seed).into_iter().map(|id| (id, 1)).collect();
                let log =
                    ConsensusLog::ScheduledChange(ScheduledChange { next_authorities, delay: 0 });
                DigestItem::Consensus(GRANDPA_ENGINE_ID, log.encode())
            })
            .into_iter()
            .collect();
        Header::new(number, H256::zero(), H256::zero(), H256::zero(), Digest { logs })
    }

    #[test]
    fn a_change_holds_from_the_next_height() {
        let mut sets = AuthoritySets::genesis(ids(1));
        assert!(sets.after(&header(4, None)).is_none());
        sets.add(sets.after(&header(5, Some(2))).unwrap());
        assert_eq!((sets.at(5).set_id, &sets.at(5).members), (0, &ids(1)));
        assert_eq!((sets.at(6).set_id, &sets.at(6).members), (1, &ids(2)));
        assert!(sets.after(&header(5, Some(2))).is_none(), "the same header again");
        sets.add(sets.after(&header(9, Some(3))).unwrap());
        let changes = |begin, end| {
            sets.changes_between(begin, end).map(|(at, set)| (at, set.set_id)).collect::<Vec<_>>()
        };
        assert_eq!(changes(0, 100), [(5, 1), (9, 2)]);
        assert_eq!(changes(5, 9), [(9, 2)]);
        assert_eq!(changes(0, 8), [(5, 1)]);
        assert_eq!(changes(9, 100), []);
    }

    /// A change writes its own set only, however many there were, and all are there again
    /// after a restart.
    #[test]
    fn each_set_is_stored_by_itself_and_all_are_loaded() {
        let store = Blockchain::<OpaqueBlock>::new();
        let mut sets = AuthoritySets::load(&store, || ids(1)).unwrap();
        assert_eq!(sets, AuthoritySets::genesis(ids(1)));
        let mut sizes = Vec::new();
        for number in 1..=300u32 {
            let new = sets.after(&header(number, Some(number as u8))).unwrap();
            assert_eq!(store.get_aux(&new.key).unwrap(), None, "it overwrites none");
            store.insert_aux(&[(new.key.as_slice(), new.value.as_slice())], &[]).unwrap();
            sizes.push(new.value.len());
            sets.add(new);
        }
        assert!(sizes.iter().all(|size| *size == sizes[0]));
        let loaded = AuthoritySets::load(&store, || unreachable!("it is no new one")).unwrap();
        assert_eq!(loaded, sets);
        assert_eq!((loaded.at(301).set_id, &loaded.at(301).members), (300, &ids(44)));
    }
}
