//! Hand-overs at the door to the database: accepting them, and letting their sets take over
//! ([`crate::hand_over`] says what may happen at the same time).

use super::{block_import::CertifiedImport, certificate_of};
use crate::{
    authority_sets::NewSet,
    client::EngineClient,
    hand_over::{are_same, halt, AcceptedHandOver, DeskError},
    header::check_hand_over,
    light::fragment::Fragment,
};
use cascoin_l2_primitives::{
    apis::HandOverApi,
    chain::{BlockHash, BlockNumber, OpaqueBlock},
    consensus::verify_certificate,
    hand_over::{HandOver, HandOverError},
};
use parking_lot::Mutex;
use sc_consensus::BlockImportParams;
use std::{fmt::Display, sync::Arc};

/// The block that the engine decided last and its parent: of the height above the finalized
/// head it is about to be imported.
pub(super) type Decided = Arc<Mutex<Option<(BlockHash, BlockHash)>>>;

impl<C: EngineClient, I> CertifiedImport<C, I> {
    /// Notes that the engine has decided on `block`, of height `number`, by the set of
    /// `hand_over`, which may be none: from then on no other hand-over from `parent` is
    /// accepted, and the node does not stop below. `false`: one was accepted before, be it in
    /// force or not yet, or the node was told to stop below, and the decision counts for nothing.
    pub fn claim(
        &self,
        number: BlockNumber,
        parent: BlockHash,
        hand_over: Option<&HandOver>,
        block: BlockHash,
    ) -> bool {
        let mut decided = self.decided.lock();
        let is_ours = are_same(self.hand_overs.on(&parent).as_deref(), hand_over)
            && self.why_not_above(number.saturating_sub(1), &parent).is_none();
        if is_ours {
            *decided = Some((parent, block));
        }
        is_ours
    }

    /// Why nothing is to be taken or signed above a block, whoever certifies it: the operator
    /// said so, or a hand-over waits behind it that has not come into force yet.
    pub(crate) fn why_not_above(&self, number: BlockNumber, hash: &BlockHash) -> Option<String> {
        if let Some(last) = self.halt.height().filter(|last| *last <= number) {
            return Some(format!(
                "block {last} is the last one that it takes (l2_haltat, l2_resume)"
            ));
        }
        self.hand_overs.is_waited_for(hash).then(|| {
            format!(
                "the hand-over from block {number} that was accepted here has not come into force"
            )
        })
    }

    /// Has this node stop at a height, or follow again.
    ///
    /// # Errors
    /// [`DeskError`]; nothing is stored then.
    pub(crate) fn halt_at(&self, height: Option<BlockNumber>) -> Result<(), DeskError> {
        let _one_at_a_time = futures::executor::block_on(self.lock.lock());
        let decided = self.decided.lock();
        let info = self.client.info();
        if let Some(height) = height {
            let (number, hash) = (info.finalized_number, info.finalized_hash);
            if number > height {
                return Err(DeskError::Above { number, hash });
            }
            if let Some((_, hash)) =
                decided.filter(|(parent, _)| number == height && *parent == hash)
            {
                return Err(DeskError::Decided { number: number.saturating_add(1), hash });
            }
        }
        self.halt.set(&*self.client, height).map_err(failed)?;
        match height {
            Some(height) => log::warn!(
                target: "l2::bft",
                "block {height} is the last one that this node takes, until it is told to resume",
            ),
            None => log::warn!(target: "l2::bft", "this node follows again"),
        }
        Ok(())
    }

    /// Accepts a hand-over: it is in force at once if its base is the finalized head, and later
    /// if this node is still below.
    ///
    /// # Errors
    /// [`DeskError`]; nothing is stored then.
    pub(crate) fn accept(&self, hand_over: HandOver) -> Result<AcceptedHandOver, DeskError> {
        let _one_at_a_time = futures::executor::block_on(self.lock.lock());
        let (id, base) = (hand_over.id(), hand_over.base);
        let head = self.client.info().finalized_number;
        if let Some(other) = self.hand_overs.rival(&hand_over) {
            return Err(DeskError::OtherAccepted(other));
        }
        let waits = base.number > head;
        // Nobody has checked the signatures of one that waits: others may take their place, under
        // the same id. Those of one in force were checked.
        let known = self.hand_overs.find(&id);
        let known = known.filter(|known| known.in_force || waits && known.hand_over == hand_over);
        if let Some(known) = known {
            return Ok(known);
        }
        // Its number is another block's, so no state ever takes it.
        if self.client.number(base.hash).map_err(failed)?.is_some_and(|at| at != base.number) {
            return Err(DeskError::Refused(HandOverError::WrongBlock));
        }
        if waits {
            let (key, value) = self.hand_overs.entry(&hand_over);
            self.client.insert_aux(&[(key.as_slice(), value.as_slice())], &[]).map_err(failed)?;
            self.hand_overs.put(hand_over.clone());
            return Ok(AcceptedHandOver { hand_over, in_force: false });
        }
        if self.client.hash(base.number).map_err(failed)? != Some(base.hash) {
            let what = format!("block {} of this node is not {:?}", base.number, base.hash);
            return Err(DeskError::Unknown(what));
        }
        if base.number < head {
            let number = base.number.saturating_add(1);
            let hash = self.client.hash(number).map_err(failed)?;
            let hash = hash.ok_or_else(|| failed(format!("block {number} is not there")))?;
            return Err(DeskError::Above { number, hash });
        }
        let set = self.set_of(&hand_over)?;
        let decided = self.decided.lock();
        if let Some((_, hash)) = decided.filter(|(parent, _)| *parent == base.hash) {
            return Err(DeskError::Decided { number: base.number.saturating_add(1), hash });
        }
        // Wherever this node was to stop: its operator has it go on from here.
        self.put_into_force(&hand_over, set, true).map_err(failed)?;
        Ok(AcceptedHandOver { hand_over, in_force: true })
    }

    /// Lets the one take over whose base has become the finalized head. The caller holds the
    /// lock.
    ///
    /// Of several the highest set id does, and a lower one only if the state does not take that,
    /// whatever its signatures. If this node cannot put it into force for another reason, or a
    /// signature is wrong, of which the right ones may still come, it waits, and blocks what lies
    /// above ([`Self::why_not_above`]): the set before must not go on here with this node's help.
    pub(super) fn take_over(&self) {
        let info = self.client.info();
        for hand_over in self.hand_overs.waiting_on(&info.finalized_hash) {
            let result = self.set_of(&hand_over).and_then(|set| {
                let _decided = self.decided.lock();
                // This node may be on its way to where it is to stop.
                let stops_here = self.halt.height() == Some(hand_over.base.number);
                self.put_into_force(&hand_over, set, stops_here).map_err(failed)
            });
            let Err(error) = result else { return };
            self.say_once(&format!(
                "the hand-over {:?} that was accepted here does not come into force: {error}",
                hand_over.id(),
            ));
            let may_be_mended = matches!(error, DeskError::Refused(HandOverError::BadSignature(_)));
            if may_be_mended || !matches!(error, DeskError::Refused(_)) {
                return;
            }
            self.hand_overs.is_refused(&hand_over.id());
        }
    }

    /// Tells the operator what comes up again and again, the first time.
    pub(super) fn say_once(&self, what: &str) {
        let mut said = self.said.lock();
        if *said != what {
            log::error!(target: "l2::bft", "{what}");
            *said = what.to_owned();
        }
    }

    /// Tries again to put into force what waits behind the finalized head.
    pub(crate) async fn retry_take_over(&self) {
        if self.hand_overs.is_waited_for(&self.client.info().finalized_hash) {
            let _one_at_a_time = self.lock.lock().await;
            self.take_over();
        }
    }

    /// Whether a block carries the hand-over that is in force behind its parent, if any, and is
    /// certified by its set then. All other certificates were checked before and are still what
    /// they were.
    pub(super) fn fits_hand_over(&self, block: &BlockImportParams<OpaqueBlock>) -> bool {
        let accepted = self.hand_overs.on(&block.header.parent_hash);
        if check_hand_over(&block.header, accepted.as_deref()).is_err() {
            return false;
        }
        if accepted.is_none() {
            return true;
        }
        let justifications = block.justifications.as_ref();
        let Some(certificate) = justifications.and_then(|all| certificate_of(all).ok()) else {
            return false;
        };
        let (number, sets) = (block.header.number, self.sets.read());
        let set = sets.at(number);
        let hash = block.post_hash();
        verify_certificate(&certificate, hash, number, set.set_id, set.members.iter()).is_ok()
    }

    /// The set that a hand-over puts into force, as the state behind its base says. The base is
    /// the finalized head.
    fn set_of(&self, hand_over: &HandOver) -> Result<NewSet, DeskError> {
        let base = &hand_over.base;
        // It names the head by its hash, and not by its number: no state ever takes it.
        if base.number != self.client.info().finalized_number {
            return Err(DeskError::Refused(HandOverError::WrongBlock));
        }
        let api = self.client.runtime_api();
        let set = api.hand_over_set(base.hash, hand_over.clone()).map_err(failed)?;
        let set = set.map_err(DeskError::Refused)?;
        if set.set_id != base.set_id || set.members.is_empty() {
            return Err(failed(format!("the runtime makes set {} of it", set.set_id)));
        }
        let new = self.sets.read().handed_over(hand_over, &set);
        new.ok_or_else(|| failed("there is no height above the last one"))
    }

    /// Stores the set, and with it the acceptance, and the base with its certificate, at which
    /// proofs of finality end; then it is in force. Whoever calls keeps the engine from deciding
    /// meanwhile. `resumes`: this node stops nowhere any more.
    fn put_into_force(
        &self,
        hand_over: &HandOver,
        set: NewSet,
        resumes: bool,
    ) -> sp_blockchain::Result<()> {
        let base = &hand_over.base;
        let ended = self.sets.read().at(base.number).set_id;
        let proof = self.fragment(base.hash)?.map(|fragment| fragment.entry(ended));
        let own = [(set.key.clone(), set.value.clone()), self.hand_overs.entry(hand_over)];
        let entries: Vec<_> = own.into_iter().chain(proof).collect();
        let entries: Vec<_> = entries.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        let lifted: &[&[u8]] = if resumes { &[halt::KEY] } else { &[] };
        self.client.insert_aux(entries.iter(), lifted)?;
        if resumes {
            self.halt.lifted_or_set(None);
        }
        self.hand_overs.put(hand_over.clone());
        self.sets.write().add(set);
        self.hand_overs.has_taken_over(&hand_over.id());
        log::warn!(
            target: "l2::bft",
            "hand-over {:?}: {} sequencers go on from block {} ({:?}) as set {}",
            hand_over.id(), hand_over.consents.len(), base.number, base.hash, base.set_id,
        );
        Ok(())
    }

    /// A block with its certificate; none of genesis, which has none. So of a hand-over from
    /// genesis no end of the first set is stored, and who asks for a proof that begins there gets
    /// an error ([`FragmentError::Missing`](crate::light::fragment::FragmentError::Missing)): no
    /// proof leads across a hand-over.
    fn fragment(&self, hash: BlockHash) -> sp_blockchain::Result<Option<Fragment>> {
        let certificate =
            self.client.justifications(hash)?.and_then(|all| certificate_of(&all).ok());
        let header = self.client.header(hash)?;
        Ok(header.zip(certificate).map(|(header, certificate)| Fragment { header, certificate }))
    }
}

fn failed(error: impl Display) -> DeskError {
    DeskError::Unknown(error.to_string())
}
