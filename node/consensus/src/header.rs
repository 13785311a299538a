//! What every header must say, checked without executing anything.

use cascoin_bft::{BlockId, LeaderOrder, Round};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock, SequencerSet},
    consensus::LeaderDigest,
    hand_over::{HandOver, MalformedHandOver},
};
use codec::Encode;
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
    generic::DigestItem,
    traits::{BlakeTwo256, Block as _, Hash as _, Header as _},
    Digest, StateVersion,
};

/// Why a header is no header of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It stands on another block than the finalized one.
    #[error("parent is not the finalized block")]
    WrongParent,
    /// Not the next height.
    #[error("number is not the next height")]
    WrongNumber,
    /// No Aura pre-digest, or several.
    #[error("no single Aura slot")]
    NoSlot,
    /// No leader digest, or several.
    #[error("no single leader digest")]
    NoLeader,
    /// The last log is not the one Aura seal.
    #[error("no single Aura seal at the end")]
    NoSeal,
    /// The slot is not above the parent's.
    #[error("timestamp does not rise")]
    SlotNotRising,
    /// The slot names another leader.
    #[error("timestamp does not name the leader")]
    SlotNotLeaders,
    /// The term is not the height's.
    #[error("wrong term")]
    WrongTerm,
    /// The leader is not the one of that round.
    #[error("not the leader of that round")]
    WrongLeader,
    /// The seal is not the leader's.
    #[error("bad seal")]
    BadSeal,
    /// It carries what is no hand-over, or several.
    #[error("no single hand-over")]
    MalformedHandOver,
    /// It carries a hand-over where none is in force.
    #[error("a hand-over that was not accepted here")]
    NotAccepted,
    /// It does not carry the hand-over that is in force behind its parent.
    #[error("not the hand-over that was accepted here")]
    WrongHandOver,
}

/// The parts of a sealed header that the engine reads.
#[derive(Clone, Debug)]
pub struct SealedHeader {
    /// The header without its seal, as the runtime executes it.
    pub unsealed: Header,
    /// The seal.
    pub seal: DigestItem,
    /// Timestamp, milliseconds; Aura calls it the slot.
    pub slot: u64,
    /// Who built it, and in which round.
    pub leader: LeaderDigest,
    signature: ed25519::Signature,
}

impl SealedHeader {
    /// Takes a header apart.
    ///
    /// # Errors
    /// [`HeaderError`] when a digest is missing or there twice.
    pub fn parse(header: &Header) -> Result<Self, HeaderError> {
        let slot = slot(header).ok_or(HeaderError::NoSlot)?;
        let leader = LeaderDigest::find(header.digest().logs()).ok_or(HeaderError::NoLeader)?;
        let mut unsealed = header.clone();
        let seal = unsealed.digest_mut().pop().ok_or(HeaderError::NoSeal)?;
        if unsealed.digest().logs().iter().any(|log| matches!(log, DigestItem::Seal(..))) {
            return Err(HeaderError::NoSeal);
        }
        let signature = seal.seal_try_to(&AURA_ENGINE_ID).ok_or(HeaderError::NoSeal)?;
        Ok(Self { unsealed, seal, slot, leader, signature })
    }

    /// Checks everything about a header that its set of sequencers decides: the
    /// slot names the leader, and the leader sealed it.
    ///
    /// # Errors
    /// The first [`HeaderError`] that applies.
    pub fn check_seal(&self, authorities: &[ed25519::Public]) -> Result<(), HeaderError> {
        let key = authorities.get(self.leader.leader as usize).ok_or(HeaderError::WrongLeader)?;
        if self.slot % authorities.len() as u64 != u64::from(self.leader.leader) {
            return Err(HeaderError::SlotNotLeaders);
        }
        let hash = self.unsealed.hash();
        if !ed25519::Pair::verify(&self.signature, hash.as_bytes(), key) {
            return Err(HeaderError::BadSeal);
        }
        Ok(())
    }
}

/// What a proposal of one height must fit.
pub struct HeaderRules<'a> {
    /// The finalized block.
    pub parent: &'a Header,
    /// The sequencers of the height.
    pub set: &'a SequencerSet,
    /// The term of the height.
    pub term: u32,
    /// Who leads which round.
    pub leaders: &'a LeaderOrder,
    /// The hand-over in force behind the finalized block.
    pub hand_over: Option<&'a HandOver>,
}

impl HeaderRules<'_> {
    /// Checks a proposed header against the height's rules.
    ///
    /// # Errors
    /// The first [`HeaderError`] that applies.
    pub fn check(&self, header: &Header) -> Result<SealedHeader, HeaderError> {
        if *header.parent_hash() != self.parent.hash() {
            return Err(HeaderError::WrongParent);
        }
        if self.parent.number().checked_add(1) != Some(*header.number()) {
            return Err(HeaderError::WrongNumber);
        }
        check_hand_over(header, self.hand_over)?;
        let sealed = SealedHeader::parse(header)?;
        if slot(self.parent).is_some_and(|parent| sealed.slot <= parent) {
            return Err(HeaderError::SlotNotRising);
        }
        if sealed.leader.term != self.term {
            return Err(HeaderError::WrongTerm);
        }
        let leader = self.leaders.leader(Round(sealed.leader.round));
        if leader.0 != sealed.leader.leader {
            return Err(HeaderError::WrongLeader);
        }
        let authorities: Vec<_> = self.set.members.iter().map(|member| member.aura).collect();
        sealed.check_seal(&authorities)?;
        Ok(sealed)
    }
}

/// Whether a header carries the hand-over `accepted`, which is in force behind its parent, and
/// none if there is none. It is the same by its id. The signatures in it may be others, for who
/// accepted may have been given other good ones; whether they are good the state says, which is
/// asked before anybody votes ([`crate::executor::execute`]), and again by the runtime in the
/// block itself.
///
/// # Errors
/// [`HeaderError`].
pub fn check_hand_over(header: &Header, accepted: Option<&HandOver>) -> Result<(), HeaderError> {
    let carried = HandOver::find(header.digest().logs());
    let carried = carried.map_err(|MalformedHandOver| HeaderError::MalformedHandOver)?;
    match (carried, accepted) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(HeaderError::NotAccepted),
        (carried, Some(accepted)) => {
            let same = carried.is_some_and(|carried| carried.id() == accepted.id());
            same.then_some(()).ok_or(HeaderError::WrongHandOver)
        }
    }
}

/// The Aura slot of a header: its timestamp in milliseconds. `None` for the
/// genesis block, which has none, and for a header with several.
pub fn slot(header: &Header) -> Option<u64> {
    let mut slots = header
        .digest()
        .logs()
        .iter()
        .filter_map(|log| log.pre_runtime_try_to::<Slot>(&AURA_ENGINE_ID));
    let slot = slots.next()?;
    slots.next().is_none().then_some(*slot)
}

/// The smallest millisecond that is not before `now`, after `parent`, and names
/// the leader: `slot mod sequencers == leader`.
pub fn next_slot(now: u64, parent: u64, leader: u16, sequencers: u16) -> u64 {
    let (leader, sequencers) = (u64::from(leader), u64::from(sequencers.max(1)));
    let earliest = now.max(parent.saturating_add(1));
    earliest.saturating_add((leader + sequencers - earliest % sequencers) % sequencers)
}

/// The digest a leader starts a block with. `hand_over`: the one in force behind its parent.
pub fn pre_digest(slot: u64, leader: LeaderDigest, hand_over: Option<&HandOver>) -> Digest {
    let aura = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode());
    let mut logs = vec![aura, leader.item()];
    logs.extend(hand_over.map(HandOver::item));
    Digest { logs }
}

/// The seal of an unsealed header.
pub fn seal_item(signature: ed25519::Signature) -> DigestItem {
    DigestItem::Seal(AURA_ENGINE_ID, signature.encode())
}

/// The id of a sealed block: the hash of its sealed header.
pub fn block_id(block: &OpaqueBlock) -> BlockId {
    BlockId(block.hash().0)
}

/// Most extrinsics of a block, whatever the runtime allows: hashing a body takes the
/// engine's time, and the smallest ones would make millions of a message. Under every
/// runtime far more than a block's weight has room for.
pub const MAX_EXTRINSICS: usize = 65_536;

/// Whether a block's body is the one its header commits to. The id says nothing
/// of the body, so a body from a peer must pass this before it is held for the
/// block's own. `version` is that of extrinsics roots, by the parent's runtime.
pub fn body_fits(block: &OpaqueBlock, version: StateVersion) -> bool {
    if block.extrinsics().len() > MAX_EXTRINSICS {
        return false;
    }
    let body = block.extrinsics().iter().map(Encode::encode).collect();
    BlakeTwo256::ordered_trie_root(body, version) == *block.header().extrinsics_root()
}

/// The hash behind an id.
pub fn hash_of(id: BlockId) -> H256 {
    H256(id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hand_over::testing::hand_over;

    #[test]
    fn the_slot_names_the_leader_and_rises() {
        for sequencers in 1..=7_u16 {
            for leader in 0..sequencers {
                for (now, parent) in [(0, 0), (1_000, 999), (1_000, 1_000), (1_000, 5_000)] {
                    let slot = next_slot(now, parent, leader, sequencers);
                    assert_eq!(slot % u64::from(sequencers), u64::from(leader));
                    assert!(slot > parent && slot >= now);
                    assert!(slot - now.max(parent + 1) < u64::from(sequencers));
                }
            }
        }
    }

    fn sealed(number: u32, parent: &Header, slot: u64, leader: LeaderDigest) -> Header {
        carrying(number, parent, slot, leader, &[])
    }

    fn carrying(
        number: u32,
        parent: &Header,
        slot: u64,
        leader: LeaderDigest,
        hand_overs: &[&HandOver],
    ) -> Header {
        let pair = ed25519::Pair::from_seed(&[leader.leader as u8 + 1; 32]);
        let mut header = Header::new(
            number,
            Default::default(),
            Default::default(),
            parent.hash(),
            pre_digest(slot, leader, hand_overs.first().copied()),
        );
        let more = hand_overs.iter().skip(1).map(|hand_over| hand_over.item());
        header.digest_mut().logs.extend(more);
        let seal = seal_item(pair.sign(header.hash().as_bytes()));
        header.digest_mut().push(seal);
        header
    }

    fn genesis() -> Header {
        Header::new(0, Default::default(), Default::default(), H256::zero(), Default::default())
    }

    fn set() -> SequencerSet {
        let member = |seed: u8| {
            let key = ed25519::Pair::from_seed(&[seed + 1; 32]).public();
            cascoin_l2_primitives::chain::SequencerInfo {
                account: [seed; 32].into(),
                aura: key,
                grandpa: key,
                relay: key,
                vault: sp_core::ecdsa::Public::from_raw([2; 33]),
                weight: 1,
                barred: false,
            }
        };
        SequencerSet { set_id: 0, members: (0..4).map(member).collect() }
    }

    #[test]
    fn every_header_rule_is_checked() {
        let (parent, set) = (genesis(), set());
        let order = [2, 3, 0, 1].map(cascoin_bft::SequencerIndex).to_vec();
        let leaders = LeaderOrder::new(order).unwrap();
        let hand_over = None;
        let rules =
            HeaderRules { parent: &parent, set: &set, term: 0, leaders: &leaders, hand_over };
        let digest = LeaderDigest { term: 0, round: 0, leader: 2 };
        let good = sealed(1, &parent, 1_002, digest);
        rules.check(&good).unwrap();
        let check = |header: &Header| rules.check(header).map(|_| ()).unwrap_err();
        assert_eq!(check(&sealed(1, &good, 1_002, digest)), HeaderError::WrongParent);
        assert_eq!(check(&sealed(2, &parent, 1_002, digest)), HeaderError::WrongNumber);
        assert_eq!(check(&sealed(1, &parent, 1_003, digest)), HeaderError::SlotNotLeaders);
        let term = LeaderDigest { term: 1, ..digest };
        assert_eq!(check(&sealed(1, &parent, 1_002, term)), HeaderError::WrongTerm);
        let round = LeaderDigest { round: 1, ..digest };
        assert_eq!(check(&sealed(1, &parent, 1_002, round)), HeaderError::WrongLeader);
        let mut unsealed = good.clone();
        let seal = unsealed.digest_mut().pop().unwrap();
        assert_eq!(check(&unsealed), HeaderError::NoSeal);
        let mut twice = good.clone();
        twice.digest_mut().push(seal.clone());
        assert_eq!(check(&twice), HeaderError::NoSeal);
        let mut changed = unsealed.clone();
        changed.state_root = H256::repeat_byte(1);
        changed.digest_mut().push(seal);
        assert_eq!(check(&changed), HeaderError::BadSeal);
        let child = HeaderRules { parent: &good, ..rules };
        let stale = sealed(2, &good, 1_002, digest);
        assert_eq!(child.check(&stale).map(|_| ()).unwrap_err(), HeaderError::SlotNotRising);
    }

    /// R17.6: a block carries the hand-over in force behind its parent, whole and once, and no
    /// block carries one without that.
    #[test]
    fn r17_6_a_hand_over_is_carried_where_it_is_in_force_and_nowhere_else() {
        let (parent, set) = (genesis(), set());
        let order = [2, 3, 0, 1].map(cascoin_bft::SequencerIndex).to_vec();
        let leaders = LeaderOrder::new(order).unwrap();
        let digest = LeaderDigest { term: 0, round: 0, leader: 2 };
        let header = |hand_overs: &[&HandOver]| carrying(1, &parent, 1_002, digest, hand_overs);
        let check = |accepted: Option<&HandOver>, header: &Header| {
            let rules = HeaderRules {
                parent: &parent,
                set: &set,
                term: 0,
                leaders: &leaders,
                hand_over: accepted,
            };
            rules.check(header).map(|_| ())
        };
        let (ours, other) = (hand_over(0, 1, 3, 1), hand_over(0, 1, 3, 4));
        let mut signed_again = ours.clone();
        signed_again.consents[0].signature = ed25519::Signature::from_raw([9; 64]);

        assert_eq!(check(None, &header(&[])), Ok(()));
        assert_eq!(check(None, &header(&[&ours])), Err(HeaderError::NotAccepted));
        assert_eq!(check(Some(&ours), &header(&[&ours])), Ok(()));
        // Good or not, the header alone does not say: see `executor::execute`.
        assert_eq!(check(Some(&ours), &header(&[&signed_again])), Ok(()), "the same by its id");
        assert_eq!(check(Some(&ours), &header(&[])), Err(HeaderError::WrongHandOver));
        assert_eq!(check(Some(&ours), &header(&[&other])), Err(HeaderError::WrongHandOver));
        let twice = header(&[&ours, &ours]);
        for accepted in [None, Some(&ours)] {
            assert_eq!(check(accepted, &twice), Err(HeaderError::MalformedHandOver));
        }
    }
}
