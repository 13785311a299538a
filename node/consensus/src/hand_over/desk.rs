//! What operators do about hand-overs.

use super::{AcceptedHandOver, DeskError, HandOverDesk};
use crate::{client::EngineClient, import::CertifiedImport, relay_keys::RelayKeys};
use cascoin_l2_primitives::{
    apis::HandOverApi,
    chain::{BlockNumber, OpaqueBlock},
    hand_over::{consent_message, Consent, HandOver, HandOverBase, HandOverError, Successor},
};
use sc_consensus::BlockImport;
use sp_keystore::KeystorePtr;

/// The desk of a node.
pub struct Desk<C, I> {
    import: CertifiedImport<C, I>,
    keys: RelayKeys,
}

impl<C, I> Desk<C, I> {
    /// A desk at the door to the database. `keystore` holds the relay keys.
    pub fn new(import: CertifiedImport<C, I>, keystore: KeystorePtr) -> Self {
        Self { import, keys: RelayKeys(keystore) }
    }
}

impl<C, I> HandOverDesk for Desk<C, I>
where
    C: EngineClient,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync + 'static,
{
    fn accepted(&self) -> Vec<AcceptedHandOver> {
        self.import.hand_overs().accepted()
    }

    fn consent(&self, base: &HandOverBase) -> Result<Vec<Consent>, DeskError> {
        let client = self.import.client();
        let info = client.info();
        let head = (info.finalized_number, info.finalized_hash);
        if (base.number, base.hash) != head {
            return Err(DeskError::NotTheHead { head });
        }
        let terms = client.runtime_api().hand_over_terms(base.hash);
        let terms = terms.map_err(|error| DeskError::Unknown(format!("runtime: {error}")))?;
        if base.set_id < terms.set_id {
            return Err(DeskError::Refused(HandOverError::SetId(terms.set_id)));
        }
        let held = terms.successors.iter().filter(|one| self.keys.holds(&one.relay));
        let held: Vec<_> = held.collect();
        if held.is_empty() {
            return Err(DeskError::NoKeys);
        }
        let message = consent_message(&info.genesis_hash, base);
        let sign = |one: &&Successor| {
            let signature = self.keys.sign(&one.relay, &message)?;
            Some(Consent { account: one.account.clone(), signature })
        };
        // All or none: one that is missing would be noticed when the set is complete but it.
        held.iter().map(sign).collect::<Option<_>>().ok_or_else(|| {
            DeskError::Unknown("the keystore has a relay key and does not sign with it".into())
        })
    }

    fn accept(&self, hand_over: HandOver) -> Result<AcceptedHandOver, DeskError> {
        self.import.accept(hand_over)
    }

    fn halts_at(&self) -> Option<BlockNumber> {
        self.import.halt().height()
    }

    fn halt_at(&self, height: Option<BlockNumber>) -> Result<(), DeskError> {
        self.import.halt_at(height)
    }
}
