//! Time, headers, votes and sessions.
//!
//! The engine is our own (consensus.md); the runtime speaks Aura and GRANDPA so
//! that stock light clients can follow. A slot is one millisecond and a block's
//! slot is its timestamp, which pallet-aura checks as it stands: slots strictly
//! rise, so timestamps do (P15), and the slot names the author.

use super::recovery::users_wait;
use crate::{
    AccountId, Aura, Authorship, Balances, BlockNumber, ChainParameters, HandOver, L1Relay, Moment,
    Reputation, Runtime, RuntimeEvent, RuntimeOrigin, SequencerRegistry, SessionKeys, Stake,
    Timestamp, TimestampGuard,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{apis::Announcer, chain::MAX_SEQUENCERS};
use frame_support::{
    parameter_types,
    traits::{
        ConstBool, ConstU128, ConstU32, ConstU64, Contains, EstimateNextSessionRotation, Get,
    },
    weights::Weight,
};
use pallet_sequencer_registry::{MemberOf, RegisteredKeys};
use pallet_session::ShouldEndSession;
use sp_core::ed25519;
use sp_runtime::{traits::OpaqueKeys, Permill};

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
    // `pallet-equivocation` takes evidence, of proposals and all votes.
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
    type EventHandler = ();
}

parameter_types! {
    pub SessionBlocks: BlockNumber = ChainParameters::get().session_blocks;
    pub MinSequencers: u32 = ChainParameters::get().min_sequencers;
}

/// A session ends with each multiple of `session_blocks`, which is also the end of
/// a term, and with each of the two blocks after one that revokes keys, so that these
/// are out of the set as soon as can be. The block that ends one carries no user
/// transactions. In a block in which others take over from a set that does nothing, that has
/// ended one already, a regular one as well.
pub struct Sessions;

impl ShouldEndSession<BlockNumber> for Sessions {
    fn should_end_session(now: BlockNumber) -> bool {
        if HandOver::is_enacted(now) {
            return false;
        }
        // Without parameters, as FRAME builds a genesis in tests, none ever ends.
        now.checked_rem(SessionBlocks::get()) == Some(0) || SequencerRegistry::rotation_is_forced()
    }
}

impl EstimateNextSessionRotation<BlockNumber> for Sessions {
    fn average_session_length() -> BlockNumber {
        SessionBlocks::get()
    }

    fn estimate_current_session_progress(now: BlockNumber) -> (Option<Permill>, Weight) {
        let length = SessionBlocks::get();
        // The current block counts as gone by, as in pallet-session's own estimate.
        let progress = now
            .checked_rem(length)
            .map(|passed| Permill::from_rational(passed.saturating_add(1), length));
        (progress, <Runtime as frame_system::Config>::DbWeight::get().reads(1))
    }

    fn estimate_next_session_rotation(now: BlockNumber) -> (Option<BlockNumber>, Weight) {
        let length = SessionBlocks::get();
        let regular =
            now.checked_rem(length).map(|passed| now.saturating_add(length.saturating_sub(passed)));
        let forced = SequencerRegistry::rotation_is_forced().then(|| now.saturating_add(1));
        (forced.or(regular), <Runtime as frame_system::Config>::DbWeight::get().reads(2))
    }
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = MemberOf<Runtime>;
    type ShouldEndSession = Sessions;
    type NextSessionRotation = Sessions;
    type SessionManager = SequencerRegistry;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    // Only members and candidates can set keys, who have stake locked up for it, so
    // nothing needs a deposit.
    type KeyDeposit = ConstU128<0>;
}

impl pallet_sequencer_registry::Config for Runtime {
    type Parameters = ChainParameters;
    type Reputation = Reputation;
    type L1Addresses = Reputation;
    type Stake = Stake;
    type Chance = L1Relay;
    type Planned = Planned;
    type ElectionsRest = ElectionsRest;
    type InForce = InForce;
    type HasKeys = HasKeys;
    type Keys = Keyring;
    // A thief of the account cannot take its stake out sooner either.
    type RevocationKeyDelay = super::stake::UnbondingBlocks;
    type MinSequencers = MinSequencers;
    type WeightInfo = crate::weights::pallet_sequencer_registry::WeightInfo<Runtime>;
    type SetId = SetId;
    type SealingKeys = SealingKeys;
    type VotingKeys = VotingKeys;
}

/// Whether a recovery runs, or offences are still to be punished: stakes are those of a past
/// block, so who bonded since would lose its seat.
pub struct ElectionsRest;

impl Get<bool> for ElectionsRest {
    fn get() -> bool {
        users_wait()
    }
}

/// The set that pallet-session puts in force when the session ends.
pub struct Planned;

impl Get<Vec<AccountId>> for Planned {
    fn get() -> Vec<AccountId> {
        let queued = pallet_session::QueuedKeys::<Runtime>::get();
        queued.into_iter().map(|(account, _)| account).collect()
    }
}

/// The sequencers in force, or about to be while a session ends.
pub struct InForce;

impl Get<Vec<AccountId>> for InForce {
    fn get() -> Vec<AccountId> {
        pallet_session::Validators::<Runtime>::get()
    }
}

/// Accounts with session keys.
pub struct HasKeys;

impl Contains<AccountId> for HasKeys {
    fn contains(account: &AccountId) -> bool {
        pallet_session::NextKeys::<Runtime>::contains_key(account)
    }
}

/// The session keys that pallet-session knows.
pub struct Keyring;

impl RegisteredKeys for Keyring {
    fn registered(account: &AccountId) -> Option<ed25519::Public> {
        pallet_session::NextKeys::<Runtime>::get(account).map(|keys| keys.relay.into())
    }

    fn planned(account: &AccountId) -> Option<ed25519::Public> {
        let mut queued = pallet_session::QueuedKeys::<Runtime>::get().into_iter();
        let (_, keys) = queued.find(|(planned, _)| planned == account)?;
        Some(keys.relay.into())
    }

    fn unregister(account: &AccountId) {
        let owner = RuntimeOrigin::signed(account.clone());
        // The one error there can be is that it has none.
        let _ = pallet_session::Pallet::<Runtime>::purge_keys(owner);
    }
}

/// Whose nodes are believed when they announce themselves, and the relay keys that they
/// registered last: members, candidates, and who sequences still.
pub(crate) fn announcers() -> Vec<Announcer> {
    use pallet_sequencer_registry::{Candidates, Members};
    let members = Members::<Runtime>::get();
    let mut accounts: Vec<AccountId> = members.into_iter().map(|member| member.account).collect();
    accounts.extend(Candidates::<Runtime>::iter_keys());
    accounts.extend(InForce::get());
    accounts.sort();
    accounts.dedup();
    let announcer = |account: AccountId| {
        let relay = Keyring::registered(&account)?;
        (!SequencerRegistry::is_barred(&account, &relay)).then_some(Announcer { account, relay })
    };
    accounts.into_iter().filter_map(announcer).collect()
}

impl pallet_timestamp_guard::Config for Runtime {
    type Time = Timestamp;
    type Parameters = ChainParameters;
    type L1 = L1Relay;
    type Sequencers = SequencerRegistry;
    type Author = ClockKeeper;
    type OnOffence = super::offences::Punishments;
    type WeightInfo = crate::weights::pallet_timestamp_guard::WeightInfo<Runtime>;
}

/// Who answers for the block's time: its author, but not where others take over from a set that
/// stood still, since the time that this took is nobody's jump.
pub struct ClockKeeper;

/// Blocks behind the first one of a set that took over whose time nobody answers for either: the
/// leader of that first one asks the state below it for its bounds, where the tips that the old
/// set saw are as fresh as when it died. So the next one makes up for the time.
const BLOCKS_TO_THE_CLOCK: BlockNumber = 1;

impl Get<Option<AccountId>> for ClockKeeper {
    fn get() -> Option<AccountId> {
        let now = frame_system::Pallet::<Runtime>::block_number();
        BlockAuthor::get().filter(|_| !HandOver::was_enacted_within(now, BLOCKS_TO_THE_CLOCK))
    }
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
