//! Time, headers, votes and sessions.
//!
//! The engine is our own (consensus.md); the runtime speaks Aura and GRANDPA so
//! that stock light clients can follow. A slot is one millisecond and a block's
//! slot is its timestamp, which pallet-aura checks as it stands: slots strictly
//! rise, so timestamps do (P15), and the slot names the author.

use crate::{
    AccountId, Aura, Authorship, Balances, BlockNumber, ChainParameters, L1Relay, Moment, Runtime,
    RuntimeEvent, SequencerRegistry, SessionKeys, Timestamp, TimestampGuard,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
use frame_support::{
    parameter_types,
    traits::{ConstBool, ConstU128, ConstU32, ConstU64, Get},
};
use pallet_sequencer_registry::MemberOf;
use sp_core::ed25519;
use sp_runtime::traits::OpaqueKeys;

/// Blocks of a session: a set change takes effect at a session's end, which is
/// also a term's end for every preset. The block that ends it carries no user
/// transactions.
pub const SESSION_LENGTH: BlockNumber = 600;
const _: () = assert!(SESSION_LENGTH % 10 == 0 && SESSION_LENGTH % 5 == 0);

/// Milliseconds of a slot and least distance of two timestamps.
const SLOT_MS: Moment = 1;

impl pallet_timestamp::Config for Runtime {
    type Moment = Moment;
    type OnTimestampSet = (Aura, TimestampGuard);
    type MinimumPeriod = ConstU64<SLOT_MS>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = sp_consensus_aura::ed25519::AuthorityId;
    type MaxAuthorities = ConstU32<MAX_SEQUENCERS>;
    // The schedule of leaders skips a disabled one; here it would panic.
    type DisabledValidators = ();
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_MS>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_SEQUENCERS>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    // Evidence of equivocation comes with the slashing issue.
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
    type EventHandler = ();
}

parameter_types! {
    pub const Period: BlockNumber = SESSION_LENGTH;
    pub const Offset: BlockNumber = 0;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = MemberOf<Runtime>;
    type ShouldEndSession = pallet_session::PeriodicSessions<Period, Offset>;
    type NextSessionRotation = pallet_session::PeriodicSessions<Period, Offset>;
    type SessionManager = SequencerRegistry;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    // Only members can set keys, so nothing needs a deposit.
    type KeyDeposit = ConstU128<0>;
}

impl pallet_sequencer_registry::Config for Runtime {
    type SetId = SetId;
    type SealingKeys = SealingKeys;
    type VotingKeys = VotingKeys;
}

impl pallet_timestamp_guard::Config for Runtime {
    type Time = Timestamp;
    type Parameters = ChainParameters;
    type L1 = L1Relay;
    type Sequencers = SequencerRegistry;
    type Author = BlockAuthor;
    // Who punishes comes later; until then it is recorded.
    type OnOffence = ();
    type WeightInfo = pallet_timestamp_guard::EstimatedWeight<Runtime>;
}

/// The author of the block, as Authorship looked it up before a session ended.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
    fn get() -> Option<AccountId> {
        Authorship::author()
    }
}

/// GRANDPA's set id, which is bound into every vote.
pub struct SetId;

impl Get<u64> for SetId {
    fn get() -> u64 {
        pallet_grandpa::CurrentSetId::<Runtime>::get()
    }
}

/// Aura's authorities.
pub struct SealingKeys;

impl Get<Vec<ed25519::Public>> for SealingKeys {
    fn get() -> Vec<ed25519::Public> {
        pallet_aura::Authorities::<Runtime>::get().into_iter().map(Into::into).collect()
    }
}

/// GRANDPA's authorities.
pub struct VotingKeys;

impl Get<Vec<ed25519::Public>> for VotingKeys {
    fn get() -> Vec<ed25519::Public> {
        crate::Grandpa::grandpa_authorities().into_iter().map(|(key, _)| key.into()).collect()
    }
}
