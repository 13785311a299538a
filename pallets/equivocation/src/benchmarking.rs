//! Measures what `weights.rs` estimates, each in a full set of which the offender
//! is the last. It is in no other set, so that little follows from its offence: that is
//! measured where it is done.

use crate::{
    pallet::{Call, Config, NewestSet, OldestSet, Pallet, RecordCount, Records, SetEnds, Sets},
    types::{KeySet, KnownKey, FORGOTTEN_AT_ONCE, RECORDS_KEPT},
};
use alloc::{boxed::Box, vec::Vec};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    apis::EvidenceStanding,
    chain::{AccountId, BlockHash, MAX_SEQUENCERS},
    consensus::{DoubleSignEvidence, GrandpaRound, SignedStatement, Statement},
    sequencers::SequencerSetProvider,
};
use frame_benchmarking::v2::*;
use frame_support::traits::Hooks;
use frame_system::RawOrigin;
use sp_core::{crypto::KeyTypeId, ed25519};

const SET: u64 = 1_000;

/// Evidence against the last key of a full set.
fn evidence<T: Config>() -> DoubleSignEvidence {
    let key_type = KeyTypeId(*b"gran");
    let key = sp_io::crypto::ed25519_generate(key_type, None);
    let mut keys: Vec<_> = (1..MAX_SEQUENCERS as u8)
        .map(|seed| KnownKey {
            key: ed25519::Public::from_raw([seed; 32]),
            account: AccountId::new([seed; 32]),
            reported: false,
        })
        .collect();
    keys.push(KnownKey { key, account: AccountId::new([200; 32]), reported: false });
    Sets::<T>::insert(SET, KeySet::truncate_from(keys));
    NewestSet::<T>::put(SET);
    let genesis: BlockHash = genesis_hash::<T>();
    let at = GrandpaRound { epoch: 0, height: 1, round: 0 };
    let sign = |seed| {
        let statement = Statement::Prevote { block: Some(BlockHash::repeat_byte(seed)) };
        let payload = statement.payload(&genesis, SET, at);
        let signature = sp_io::crypto::ed25519_sign(key_type, &key, &payload)
            .expect("the key was just made; qed");
        SignedStatement { statement, signature }
    };
    DoubleSignEvidence::new(SET, key, at, sign(1), sign(2)).expect("the blocks differ; qed")
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The beginning and the end of a block.
    #[benchmark]
    fn on_initialize() {
        NewestSet::<T>::put(T::Sequencers::set_id());
        let block = frame_system::Pallet::<T>::block_number();
        #[block]
        {
            Pallet::<T>::on_initialize(block);
            Pallet::<T>::on_finalize(block);
        }
        assert_eq!(NewestSet::<T>::get(), Some(T::Sequencers::set_id()));
    }

    /// All that the authorisation does besides making its answer.
    #[benchmark]
    fn authorize_report() {
        let evidence = evidence::<T>();
        let standing;
        #[block]
        {
            standing = Pallet::<T>::standing(&evidence);
        }
        assert_eq!(standing, EvidenceStanding::Wanted);
    }

    /// Takes the place of the oldest record.
    #[benchmark]
    fn report() {
        let evidence = evidence::<T>();
        RecordCount::<T>::put(RECORDS_KEPT);
        #[extrinsic_call]
        report(RawOrigin::Authorized, Box::new(evidence), Some(AccountId::new([9; 32])));
        assert!(Records::<T>::contains_key(RECORDS_KEPT));
    }

    /// The set in force, which is a full one in the genesis to measure with. It is the
    /// first, so there are no old ones to forget: that is done here.
    #[benchmark]
    fn note_set() {
        NewestSet::<T>::put(SET);
        let old = SET..SET.saturating_add(FORGOTTEN_AT_ONCE.into());
        for set_id in old.clone() {
            Sets::<T>::insert(set_id, KeySet::default());
            SetEnds::<T>::insert(set_id, 0u32);
        }
        let set_id = T::Sequencers::set_id();
        #[block]
        {
            Pallet::<T>::note_set();
            for set_id in old {
                if SetEnds::<T>::get(set_id).is_some() {
                    Sets::<T>::remove(set_id);
                    SetEnds::<T>::remove(set_id);
                }
            }
            OldestSet::<T>::put(SET);
        }
        assert_eq!(Sets::<T>::get(set_id).map(|set| set.len() as u32), Some(MAX_SEQUENCERS));
    }
}
