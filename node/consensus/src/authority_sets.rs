//! Which sequencers certify which height, from headers alone.
//!
//! A header at `h` with a `ScheduledChange` digest names the set from `h + 1`
//! on. The sets are kept in the database's auxiliary store, each under its place
//! in their order, and a new one is written in the same transaction as the block,
//! so that certificates can be checked without any state: for blocks whose state
//! is pruned, and after a warp sync.

use cascoin_l2_primitives::{
    chain::{BlockNumber, Header, OpaqueBlock, SequencerSet},
    hand_over::HandOver,
};
use codec::{Decode, Encode};
use sc_client_api::AuxStore;
use sp_blockchain::HeaderBackend;
use sp_consensus_grandpa::{AuthorityId, ConsensusLog, ScheduledChange, GRANDPA_ENGINE_ID};
use sp_core::H256;
use sp_runtime::traits::Header as _;

/// What the keys of all sets begin with; the place follows, big endian.
const PREFIX: &[u8] = b"cascoin-l2/authority-sets/3/";

/// The keys that certify blocks from one height on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuthoritySet {
    /// First height it certifies.
    pub first: BlockNumber,
    /// Its id; grows by one with each set, and may grow by more with a hand-over.
    pub set_id: u64,
    /// The grandpa keys, in the order of the authority set.
    pub members: Vec<AuthorityId>,
    /// The id of the hand-over that put it into force, if one did.
    pub hand_over: Option<H256>,
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
    /// The chain has blocks and no sets, so who certified them is not known.
    #[error(
        "the database is at block {0} and has no list of authority sets that this version reads: \
         it was made by an older version; sync anew with an empty database"
    )]
    Older(BlockNumber),
}

impl AuthoritySets {
    /// The list of a chain that begins with `members`.
    pub fn genesis(members: Vec<AuthorityId>) -> Self {
        Self(vec![AuthoritySet { first: 1, set_id: 0, members, hand_over: None }])
    }

    /// The stored list; if there is none, that of genesis, which it stores. A database has one
    /// from before its first block on, however it is synced.
    ///
    /// # Errors
    /// [`AuthoritySetsError`].
    pub fn load(
        store: &(impl AuxStore + HeaderBackend<OpaqueBlock>),
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
        let head = store.info().finalized_number;
        if head > 0 {
            return Err(AuthoritySetsError::Older(head));
        }
        let sets = Self::genesis(genesis());
        let first: Vec<_> = sets.0.iter().map(Encode::encode).collect();
        for (place, set) in first.iter().enumerate() {
            store.insert_aux(&[(key(place).as_slice(), set.as_slice())], &[])?;
        }
        Ok(sets)
    }

    /// The set that genesis names.
    pub fn first(&self) -> &AuthoritySet {
        &self.0[0]
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

    /// Whether the set of a hand-over is among them.
    pub fn has_hand_over(&self, id: &H256) -> bool {
        self.0.iter().any(|set| set.hand_over.as_ref() == Some(id))
    }

    /// The base of the first hand-over that lies between a block at `begin` and one at `end`:
    /// who trusts the set behind the one cannot be led to the other, and no further than here.
    pub fn hand_over_between(&self, begin: BlockNumber, end: BlockNumber) -> Option<BlockNumber> {
        let made_by_one = self.0.iter().filter(|set| set.hand_over.is_some());
        let mut bases = made_by_one.filter_map(|set| set.first.checked_sub(1));
        bases.find(|base| (begin..end).contains(base))
    }

    /// The blocks above `begin` and up to `end` that change the set by what their headers
    /// announce, oldest first, each with the set that it puts in force.
    pub fn changes_between(
        &self,
        begin: BlockNumber,
        end: BlockNumber,
    ) -> impl DoubleEndedIterator<Item = (BlockNumber, &AuthoritySet)> {
        // The first set is that of genesis; nothing changed to it.
        let announced = self.0.iter().skip(1).filter(|set| set.hand_over.is_none());
        announced.filter_map(move |set| {
            let at = set.first.checked_sub(1)?;
            (begin < at && at <= end).then_some((at, set))
        })
    }

    /// The set that `header` puts in force; `None` if it changes nothing. That includes a
    /// change that is known already, and that of the first block of a hand-over's set, which
    /// announces the very set that certifies it.
    pub fn after(&self, header: &Header) -> Option<NewSet> {
        let change = scheduled_change(header)?;
        let number = *header.number();
        let first = number.checked_add(1)?;
        let is_known = |set: &AuthoritySet| {
            set.first == first || set.hand_over.is_some() && set.first == number
        };
        if self.0.iter().any(is_known) {
            return None;
        }
        let set_id = self.at(number).set_id + 1;
        let members = change.next_authorities.into_iter().map(|(id, _)| id).collect();
        Some(self.new_set(AuthoritySet { first, set_id, members, hand_over: None }))
    }

    /// The set `set` that a hand-over puts in force behind its base, which is final and the
    /// last block that is known. `None` if there is no height above it.
    pub fn handed_over(&self, hand_over: &HandOver, set: &SequencerSet) -> Option<NewSet> {
        let first = hand_over.base.number.checked_add(1)?;
        let members = set.members.iter().map(|member| member.grandpa.into()).collect();
        let hand_over = Some(hand_over.id());
        Some(self.new_set(AuthoritySet { first, set_id: set.set_id, members, hand_over }))
    }

    fn new_set(&self, set: AuthoritySet) -> NewSet {
        NewSet { key: key(self.0.len()), value: set.encode(), set }
    }

    /// Adds a set that [`after`](Self::after) or [`handed_over`](Self::handed_over) found and
    /// that is stored.
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
    use crate::hand_over::testing::hand_over;
    use cascoin_l2_primitives::chain::SequencerInfo;
    use sc_client_api::{in_mem::Blockchain, NewBlockState};
    use sp_core::{crypto::UncheckedFrom, ecdsa, ed25519};
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

    /// The set of a hand-over, with one member.
    fn sequencers(seed: u8, set_id: u64) -> SequencerSet {
        let key = ed25519::Public::unchecked_from([seed; 32]);
        let member = SequencerInfo {
            account: [seed; 32].into(),
            aura: key,
            grandpa: key,
            relay: key,
            vault: ecdsa::Public::from_raw([2; 33]),
            weight: 1,
            barred: false,
        };
        SequencerSet { set_id, members: vec![member] }
    }

    /// R17.6: the set of a hand-over certifies from above its base on, under its own id; what
    /// its first block announces is no other set, and what later ones announce is.
    #[test]
    fn r17_6_a_hand_over_names_the_set_above_its_base() {
        let store = Blockchain::<OpaqueBlock>::new();
        let mut sets = AuthoritySets::load(&store, || ids(1)).unwrap();
        let add = |sets: &mut AuthoritySets, new: NewSet| {
            assert_eq!(store.get_aux(&new.key).unwrap(), None, "it overwrites none");
            store.insert_aux(&[(new.key.as_slice(), new.value.as_slice())], &[]).unwrap();
            sets.add(new);
        };
        // The base itself announced a set, which never certifies anything.
        let announced = sets.after(&header(7, Some(2))).unwrap();
        add(&mut sets, announced);
        let (failed, holds) = (hand_over(7, 9, 2, 1), hand_over(7, 9, 5, 1));
        for (attempt, seed) in [(&failed, 3), (&holds, 4)] {
            assert!(!sets.has_hand_over(&attempt.id()));
            let new = sets.handed_over(attempt, &sequencers(seed, attempt.base.set_id)).unwrap();
            add(&mut sets, new);
            assert!(sets.has_hand_over(&attempt.id()));
        }
        assert!(sets.after(&header(7, Some(2))).is_none(), "the base again");
        assert!(sets.after(&header(8, Some(4))).is_none(), "the set certifies its announcement");
        let next = sets.after(&header(12, Some(5))).unwrap();
        add(&mut sets, next);

        let loaded = AuthoritySets::load(&store, || unreachable!("it is no new one")).unwrap();
        assert_eq!(loaded, sets);
        let at = |height| (sets.at(height).set_id, sets.at(height).members.clone());
        assert_eq!(at(7), (0, ids(1)));
        assert_eq!((at(8), at(12)), ((5, ids(4)), (5, ids(4))));
        assert_eq!(at(13), (6, ids(5)));
        assert!(sets.is_newest(sets.at(13)) && !sets.is_newest(sets.at(8)));
        assert_eq!((sets.first().set_id, &sets.first().members), (0, &ids(1)));

        // What headers announce leads to the base and begins anew behind it.
        let changes = |begin, end| {
            sets.changes_between(begin, end).map(|(at, set)| (at, set.set_id)).collect::<Vec<_>>()
        };
        assert_eq!(changes(0, 100), [(7, 1), (12, 6)]);
        assert_eq!(sets.hand_over_between(0, 100), Some(7));
        assert_eq!(sets.hand_over_between(7, 8), Some(7), "from the base itself");
        assert_eq!(sets.hand_over_between(0, 7), None, "the base is reached");
        assert_eq!(sets.hand_over_between(8, 100), None, "it is passed");
        assert!(sets.handed_over(&hand_over(u32::MAX, 9, 9, 1), &sequencers(1, 9)).is_none());
    }

    /// A database of an older version is told from a new one, whose list begins with genesis.
    #[test]
    fn a_chain_without_its_sets_is_refused() {
        let store = Blockchain::<OpaqueBlock>::new();
        let block = header(1, None);
        let state = NewBlockState::Final;
        store.insert(block.hash(), block.clone(), None, None, state, false).unwrap();
        let loaded = AuthoritySets::load(&store, || unreachable!("it is no new one"));
        assert!(matches!(loaded, Err(AuthoritySetsError::Older(1))), "{loaded:?}");
        // One that wrote its list at its first start has it, whatever came then.
        let store = Blockchain::<OpaqueBlock>::new();
        let sets = AuthoritySets::load(&store, || ids(1)).unwrap();
        store.insert(block.hash(), block, None, None, state, false).unwrap();
        let loaded = AuthoritySets::load(&store, || unreachable!("it is no new one"));
        assert_eq!(loaded.unwrap(), sets);
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
