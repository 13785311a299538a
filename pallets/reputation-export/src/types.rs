//! What is stored.

use cascoin_l2_primitives::{
    reputation::export::{ExportSignature, ExportSignatures, ExportedScore},
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// What was said of an L1 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Known {
    /// What the draft or the last batch with it said, zero if none did; `None` if that
    /// batch was superseded, so that it must be said again whatever it is.
    pub said: Option<ExportedScore>,
    /// Sequence number of that batch; 0 if there is none.
    pub batch: u32,
    /// Whether anything was said of it for a cause that has room of its own in the draft
    /// ([`has_reserve`](cascoin_l2_primitives::reputation::export::ScoreCause::has_reserve)):
    /// what is said again has it, too.
    pub has_reserve: bool,
}

/// Of an address of which nothing was said.
impl Default for Known {
    fn default() -> Self {
        Self { said: Some(ExportedScore::default()), batch: 0, has_reserve: false }
    }
}

/// The batch that was made last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct LastExport {
    /// Its sequence number; 0 before the first one.
    pub sequence: u32,
    /// Its hash; zero before the first one.
    pub hash: H256,
}

/// The signatures of a batch, as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Signing {
    /// The set that signs.
    pub set_id: u64,
    /// Strictly ascending by signer.
    pub signatures: ExportSignatures,
}

impl Signing {
    /// What there is of signatures of the set in force: those of another are void.
    #[must_use]
    pub fn in_force<S: SequencerSetProvider>(self) -> Self {
        let set_id = S::set_id();
        if self.set_id == set_id {
            self
        } else {
            Self { set_id, ..Self::default() }
        }
    }

    /// Whether a sequencer has signed.
    pub fn has(&self, signer: u16) -> bool {
        self.place(signer).is_ok()
    }

    /// Adds a signature; whether it was new.
    pub fn add(&mut self, signature: ExportSignature) -> bool {
        match self.place(signature.signer) {
            Ok(_) => false,
            Err(place) => self.signatures.try_insert(place, signature).is_ok(),
        }
    }

    fn place(&self, signer: u16) -> Result<usize, usize> {
        self.signatures.binary_search_by_key(&signer, |known| known.signer)
    }
}
