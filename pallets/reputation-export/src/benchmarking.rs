//! Measures what `weights.rs` estimates, with drafts as full as they may be. Addresses are
//! known and linked to nobody, as an SDK's runtime has no links: reading the account of
//! one is what is missing.

use crate::{
    pallet::{
        Call, Certificates, Config, Draft, Exports, InSigning, KnownAddresses, Last, Oldest, Pallet,
    },
    types::{Known, LastExport, Signing},
    MAX_KEPT, MAX_RETIRED, MAX_SWEPT,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::key_types,
    reputation::{
        export::{
            export_message, ExportCertificate, ExportEntries, ExportEntry, ExportSignature,
            ExportVote, ExportedScore, OnLinkedScore, ReputationExport, ScoreCause,
        },
        Score,
    },
    sequencers::SequencerSetProvider,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks},
    weights::Weight,
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{ed25519, H160, H256};

fn address(n: u32) -> H160 {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    H160(bytes)
}

fn entries(first: u32, count: u32) -> ExportEntries {
    let exported = ExportedScore { score: Score::MAX, suspicion: None };
    let entry = |n| ExportEntry { address: address(n), exported };
    BoundedVec::truncate_from((first..first + count).map(entry).collect::<Vec<_>>())
}

/// What sweeping and retiring may fill of a draft.
fn common<T: Config>() -> u32 {
    T::MaxEntries::get() - T::ReservedEntries::get()
}

/// Known addresses of which something must be said.
fn news<T: Config>(first: u32, count: u32) {
    for n in first..first + count {
        KnownAddresses::<T>::insert(address(n), Known { said: None, batch: 1, has_reserve: false });
    }
}

fn open<T: Config>(signatures: u16) {
    let signature = |signer| ExportSignature { signer, signature: ed25519::Signature::default() };
    // Of indices that come after the one that signs.
    let signatures = (1..=signatures).map(signature).collect::<Vec<_>>();
    InSigning::<T>::put(Signing {
        set_id: T::Sequencers::set_id(),
        signatures: BoundedVec::truncate_from(signatures),
    });
    Last::<T>::put(LastExport { sequence: 1, hash: H256([7; 32]) });
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn block() {
        #[block]
        {
            Pallet::<T>::on_initialize(1u32.into());
        }
        assert_eq!(Last::<T>::get().sequence, 0);
    }

    #[benchmark]
    fn make_export() {
        Draft::<T>::put(entries(0, T::MaxEntries::get()));
        #[block]
        {
            Pallet::<T>::make_export(1);
        }
        assert_eq!(Last::<T>::get().sequence, 1);
    }

    #[benchmark]
    fn look_at() {
        let before = T::MaxEntries::get() - 1;
        Draft::<T>::put(entries(0, before));
        news::<T>(before, 1);
        #[block]
        {
            Pallet::<T>::on_linked_score(&address(before), ScoreCause::Offence);
        }
        assert_eq!(Draft::<T>::decode_len(), Some(before as usize + 1));
    }

    #[benchmark]
    fn sweep(n: Linear<0, MAX_SWEPT>) {
        let before = common::<T>() - MAX_SWEPT;
        Draft::<T>::put(entries(0, before));
        news::<T>(before, n);
        #[block]
        {
            Pallet::<T>::look_around(Weight::MAX);
        }
        assert_eq!(Draft::<T>::decode_len(), Some((before + n) as usize));
    }

    #[benchmark]
    fn retire(n: Linear<1, MAX_RETIRED>) {
        let before = common::<T>() - MAX_RETIRED;
        Draft::<T>::put(entries(0, before));
        Last::<T>::put(LastExport { sequence: MAX_KEPT, hash: H256::zero() });
        let export = ReputationExport { entries: entries(before, n), ..Default::default() };
        Exports::<T>::insert(1, export);
        Certificates::<T>::insert(1, ExportCertificate::default());
        news::<T>(before, n);
        #[block]
        {
            Pallet::<T>::retire();
        }
        assert_eq!(Oldest::<T>::get(), 2);
        assert_eq!(Draft::<T>::decode_len(), Some((before + n) as usize));
    }

    /// All but the look-up of the sequencer's key, which is another pallet's.
    #[benchmark]
    fn authorize_signature() {
        open::<T>(63);
        let message = export_message(&H256::zero(), 0, &Last::<T>::get().hash);
        let key = sp_io::crypto::ed25519_generate(key_types::RELAY, None);
        let signature = sp_io::crypto::ed25519_sign(key_types::RELAY, &key, &message)
            .expect("the key was just made; qed");
        let signed;
        #[block]
        {
            assert!(sp_io::crypto::ed25519_verify(&signature, &message, &key));
            assert!(ExportSignature { signer: 0, signature }.is_by(&key, &message));
            let signing = InSigning::<T>::get().unwrap_or_default();
            signed = signing.in_force::<T::Sequencers>().has(0);
        }
        assert!(!signed);
    }

    #[benchmark]
    fn sign_export() {
        open::<T>(63);
        let signature = ExportSignature { signer: 0, signature: ed25519::Signature::default() };
        let vote = ExportVote { set_id: T::Sequencers::set_id(), sequence: 1, signature };
        #[extrinsic_call]
        sign_export(RawOrigin::Authorized, vote);
        assert!(Certificates::<T>::contains_key(1));
    }
}
