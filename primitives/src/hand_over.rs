//! Taking over from a set of sequencers that does nothing (R17.6, ADR 0035).
//!
//! Sequencers and candidates outside of a set that stands still *consent* to go on from its
//! last block. A *hand-over* is that block with their consents. It holds on nodes whose
//! operators accepted it, and on no others: nothing that a node can see by itself tells a set
//! that is gone from one that is cut off.
//!
//! The block behind that one carries the hand-over in its header ([`HandOver::item`]). Its
//! runtime puts the consenting accounts into force before anything else, and they certify it.

use crate::{
    chain::{AccountId, BlockHash, BlockNumber, MAX_SEQUENCERS},
    l1::L1Hash,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ed25519, ConstU32, H256};
use sp_crypto_hashing::blake2_256;
use sp_runtime::{generic::DigestItem, BoundedVec, ConsensusEngineId};

/// Engine id of the digest item that carries a hand-over.
pub const HAND_OVER_ENGINE_ID: ConsensusEngineId = *b"CASH";
/// Domain of what is signed, and of a hand-over's id.
pub const HAND_OVER_DOMAIN: &[u8; 9] = b"CASL2HOV1";

/// From where, and why.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct HandOverBase {
    /// Height of the last block of the old set.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: BlockHash,
    /// The id that the new set gets: above the one that the state behind that block names.
    /// It rises by one with each attempt, so no signature counts for two of them.
    pub set_id: u64,
    /// The L1 block with a forced transaction that the old set did not apply.
    pub l1_block: L1Hash,
    /// That transaction on L1.
    pub txid: L1Hash,
}

/// That an account goes on from there.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Consent {
    /// The account.
    pub account: AccountId,
    /// Over [`consent_message`], by the relay key that is registered for it.
    pub signature: ed25519::Signature,
}

/// A hand-over.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct HandOver {
    /// From where, and why.
    pub base: HandOverBase,
    /// Who goes on, by account, each once: the new set, in its order.
    pub consents: BoundedVec<Consent, ConstU32<MAX_SEQUENCERS>>,
}

impl HandOver {
    /// The name of a hand-over: it says from where and who goes on, and not with which
    /// signatures.
    pub fn id(&self) -> H256 {
        let accounts: Vec<&AccountId> = self.accounts().collect();
        (HAND_OVER_DOMAIN, &self.base, accounts).using_encoded(blake2_256).into()
    }

    /// Who goes on, in the order of the new set.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.consents.iter().map(|consent| &consent.account)
    }

    /// Whether the accounts rise, so that none is there twice.
    pub fn is_in_order(&self) -> bool {
        let pairs = self.accounts().zip(self.accounts().skip(1));
        pairs.fold(true, |so_far, (one, next)| so_far && one < next)
    }

    /// As a digest item.
    pub fn item(&self) -> DigestItem {
        DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, self.encode())
    }

    /// Finds it among a header's logs.
    ///
    /// # Errors
    /// [`MalformedHandOver`], also if there are several.
    pub fn find(logs: &[DigestItem]) -> Result<Option<Self>, MalformedHandOver> {
        let mut found = logs.iter().filter_map(|log| match log {
            DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, data) => Some(data),
            _ => None,
        });
        let Some(data) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(MalformedHandOver);
        }
        Self::decode_all(&mut &data[..]).map(Some).map_err(|_| MalformedHandOver)
    }
}

/// A header has what is no hand-over, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedHandOver;

/// What is signed: `"CASL2HOV1" ‖ genesis ‖ SCALE-encoded base`.
pub fn consent_message(genesis: &BlockHash, base: &HandOverBase) -> Vec<u8> {
    let mut message = HAND_OVER_DOMAIN.to_vec();
    message.extend_from_slice(genesis.as_bytes());
    base.encode_to(&mut message);
    message
}

/// Why a state does not take a hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum HandOverError {
    /// It is from another block.
    WrongBlock,
    /// Its set id is not above the one in force, or above it by more than attempts take. Holds
    /// the least one.
    SetId(u64),
    /// Its accounts do not rise.
    Unordered,
    /// Too few or too many accounts. Holds the bounds of the set's size.
    Size(u32, u32),
    /// This account may not go on: it has no seat and is no attested candidate with stake,
    /// reputation and keys, or it is banned, or its keys are barred.
    NotEligible(AccountId),
    /// This account's signature is not that of its relay key.
    BadSignature(AccountId),
}

/// Somebody who may go on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Successor {
    /// Its account.
    pub account: AccountId,
    /// Whose seats it takes, by all that is known of entities. A hand-over may seat more of one
    /// entity than a draw would: who creates or accepts one looks at it.
    pub entity: AccountId,
    /// The relay key that its consent is checked with.
    pub relay: ed25519::Public,
    /// Weight in the ranking of leaders.
    pub weight: u64,
    /// Whether it is in the set in force.
    pub in_force: bool,
}

/// What a state says of a hand-over behind its block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct HandOverTerms {
    /// Least id of the new set.
    pub set_id: u64,
    /// Least and most accounts of it.
    pub size: (u32, u32),
    /// Who may go on, by account.
    pub successors: Vec<Successor>,
}

/// A hand-over that took place.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct HandOverRecord {
    /// Its id.
    pub id: H256,
    /// From where, and why.
    pub base: HandOverBase,
    /// Size of the set that went on.
    pub members: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::AccountId32;

    fn hand_over(accounts: &[u8]) -> HandOver {
        let consent = |account: &u8| Consent {
            account: AccountId32::new([*account; 32]),
            signature: ed25519::Signature::from_raw([*account; 64]),
        };
        let base = HandOverBase {
            number: 7,
            hash: H256::repeat_byte(1),
            set_id: 3,
            l1_block: L1Hash([2; 32]),
            txid: L1Hash([4; 32]),
        };
        let consents: Vec<Consent> = accounts.iter().map(consent).collect();
        HandOver { base, consents: BoundedVec::truncate_from(consents) }
    }

    /// R17.6: the id names the block and the accounts, whatever the signatures.
    #[test]
    fn r17_6_the_id_binds_where_and_who() {
        let one = hand_over(&[1, 2]);
        let mut signed_again = one.clone();
        signed_again.consents[0].signature = ed25519::Signature::from_raw([9; 64]);
        assert_eq!(one.id(), signed_again.id());
        assert_ne!(one.id(), hand_over(&[1]).id());
        assert_ne!(one.id(), hand_over(&[1, 3]).id());
        for edit in [
            (|base| base.number = 8) as fn(&mut HandOverBase),
            |base| base.hash = H256::repeat_byte(9),
            |base| base.set_id = 4,
            |base| base.l1_block = L1Hash([9; 32]),
            |base| base.txid = L1Hash([9; 32]),
        ] {
            let mut other = one.clone();
            edit(&mut other.base);
            assert_ne!(one.id(), other.id());
            let genesis = H256::repeat_byte(5);
            let message = |base| consent_message(&genesis, base);
            assert_ne!(message(&one.base), message(&other.base));
        }
        let message = |genesis| consent_message(&H256::repeat_byte(genesis), &one.base);
        assert_ne!(message(5), message(6));
    }

    #[test]
    fn accounts_must_rise() {
        assert!(hand_over(&[]).is_in_order());
        assert!(hand_over(&[1]).is_in_order());
        assert!(hand_over(&[1, 2, 3]).is_in_order());
        assert!(!hand_over(&[1, 1]).is_in_order());
        assert!(!hand_over(&[2, 1]).is_in_order());
        assert!(!hand_over(&[1, 3, 2]).is_in_order());
    }

    #[test]
    fn a_header_has_one_or_none() {
        let one = hand_over(&[1, 2]);
        let other = DigestItem::PreRuntime(*b"CASL", one.encode());
        let seal = DigestItem::Seal(HAND_OVER_ENGINE_ID, one.encode());
        assert_eq!(HandOver::find(&[other.clone(), seal]), Ok(None));
        assert_eq!(HandOver::find(&[other, one.item()]), Ok(Some(one.clone())));
        assert_eq!(HandOver::find(&[one.item(), one.item()]), Err(MalformedHandOver));
        let mut longer = one.encode();
        longer.push(0);
        let longer = DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, longer);
        assert_eq!(HandOver::find(&[longer]), Err(MalformedHandOver));
    }
}
