//! Who may sequence, and who does.
//!
//! ## Overview
//!
//! The set is made of *members*, whom genesis or governance appointed, and of *elected*
//! candidates; pallet-session holds their keys and puts sets in force. This pallet is
//! the one place where the rest of the runtime asks for the set in force ([`SequencerSetProvider`]) and
//! where the node asks for it ([`Pallet::sequencer_set`]). A sequencer's index
//! is its position in pallet-session's list, which Aura, GRANDPA and this pallet
//! all take over in the same order.
//!
//! ## How anybody becomes a sequencer
//!
//! 1. It bonds stake, and has a reputation ([`Pallet::eligibility`]).
//! 2. It [announces](Pallet::announce) itself, and sets its keys with
//!    `session.set_keys`. Nobody approves candidates.
//! 3. A random sample of the set is asked ([`attestation`]). Their nodes look for the
//!    candidate's, and [attest](Pallet::attest_with_key) that it is there; an operator who
//!    knows more may [answer](Pallet::attest) first. Who is asked is decided by an L1
//!    block that comes after the announcement.
//! 4. When an epoch ends a draw is announced: who stands in it, with what weight, is
//!    settled then; an L1 block that comes later decides who gets the seats that no
//!    member has ([`election`]). The set follows in steps that leave a quorum of those
//!    who are there.
//!
//! Until it [resigns](Pallet::resign) and is out of the set it must keep its stake
//! ([`StakeCommitment`](cascoin_l2_primitives::sequencers::StakeCommitment)). Who signs
//! twice is barred for ever; a candidate that is offline loses its attestation and its
//! seat (`SEQ_OFFLINE`), as far as the set stays large enough. After a session in which
//! blocks came late too often, those who led in vain lose their seats before the epoch
//! ends (R25.5).
//!
//! Two sequencers that are reported to miss votes together more often than chance explains
//! share the seats of one entity for some time ([`links`], R22.1). The runtime takes no such
//! reports yet (ADR 0018).
//!
//! ## Changes by governance
//!
//! Governance (Root; sudo on test networks) appoints and removes members. Every change
//! takes effect at the second session end after it, with a new set id:
//!
//! - **join**: [`add_member`](Pallet::add_member), then the account itself sets its
//!   keys with `session.set_keys`. A member without keys is in no set.
//! - **leave**: [`remove_member`](Pallet::remove_member). Until the set changes the
//!   account still sequences, ranked last; its keys are needed until then. They
//!   stay registered as its own, so nobody else can take them.
//! - **new keys**: `session.set_keys`.
//!
//! Who stays keeps its place in the order; who joins comes last. The set is never
//! smaller than the chain's `min_sequencers` by these calls.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`add_member`](Pallet::add_member) | root | | `MemberAdded` |
//! | [`remove_member`](Pallet::remove_member) | root | | `MemberRemoved` |
//! | [`set_weight`](Pallet::set_weight) | root | | `WeightSet` |
//! | [`announce`](Pallet::announce) | anybody with stake and reputation | fee | `Announced` |
//! | [`resign`](Pallet::resign) | a candidate | fee | `Resigned` |
//! | [`attest`](Pallet::attest) | a sequencer that is asked | fee | `Attested`, `Refused` |
//! | [`attest_with_key`](Pallet::attest_with_key) | its node | none | as `attest` |
//! | [`accept`](Pallet::accept) | a candidate's controller | fee | `ControllerConfirmed` |
//! | [`pardon`](Pallet::pardon) | root | | `Pardoned` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod announce;
pub mod attestation;
mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod candidate_tests;
pub mod candidates;
#[cfg(test)]
mod change_tests;
pub mod crypto;
pub mod election;
#[cfg(test)]
mod election_tests;
#[cfg(test)]
mod link_tests;
pub mod links;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod node_attestation_tests;
mod offences;
mod seats;
mod session;
#[cfg(test)]
mod tests;
pub mod weights;

#[cfg(any(test, feature = "try-runtime"))]
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
#[cfg(any(test, feature = "try-runtime"))]
use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
use cascoin_l2_primitives::{
    chain::{AccountId, SequencerInfo, SequencerSet},
    sequencers::{SequencerSetProvider, SequencerWeights},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ed25519;

pub use pallet::*;
pub use session::{MemberOf, Relay, Vault};
pub use weights::WeightInfo;

/// Somebody who may sequence.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// The account that earns.
    pub account: AccountId,
    /// Weight in the ranking of leaders; 0 ranks last.
    pub weight: u64,
}

/// A sequencer of the set in force.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ActiveSequencer {
    /// Its account.
    pub account: AccountId,
    /// The key with which it signs relay votes.
    pub relay: ed25519::Public,
}

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::{
        candidates::{Candidate, Draw, Endpoint},
        links::{Link, MAX_LINKS},
        ActiveSequencer, Member, WeightInfo,
    };
    use alloc::{collections::BTreeSet, vec::Vec};
    use cascoin_l2_primitives::{
        chain::{AccountId, ChainParameters, MAX_SEQUENCERS},
        relay::L1Chance,
        reputation::ReputationProvider,
        sequencers::{NodeAttestation, SequencerSetProvider, StakeProvider},
    };
    use frame_support::{pallet_prelude::*, traits::Contains};
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{ecdsa, ed25519, H256};
    use sp_staking::SessionIndex;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the registry needs to know of the consensus pallets. All lists MUST
    /// be in the order of pallet-session's list.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, Hash = H256>
        + CreateAuthorizedTransaction<Call<Self>>
    {
        /// Id of the set in force; MUST grow by one with each change.
        type SetId: Get<u64>;
        /// Keys that seal headers.
        type SealingKeys: Get<Vec<ed25519::Public>>;
        /// Keys that sign votes and certificates.
        type VotingKeys: Get<Vec<ed25519::Public>>;
        /// The accounts of pallet-session's list; while a session ends, of the list
        /// that comes into force with it.
        type InForce: Get<Vec<AccountId>>;
        /// Accounts with session keys.
        type HasKeys: Contains<AccountId>;
        /// Least number of members with keys that a removal may leave.
        type MinSequencers: Get<u32>;
        /// The chain's parameters: what a sequencer needs, and how many there are.
        type Parameters: Get<ChainParameters>;
        /// Reputations.
        type Reputation: ReputationProvider;
        /// Stakes.
        type Stake: StakeProvider;
        /// Chance.
        type Chance: L1Chance;
        /// The accounts of the set that comes into force when the session ends.
        type Planned: Get<Vec<AccountId>>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Who may sequence.
    #[pallet::storage]
    pub type Members<T: Config> =
        StorageValue<_, BoundedVec<Member, ConstU32<MAX_SEQUENCERS>>, ValueQuery>;

    /// Who announced itself.
    #[pallet::storage]
    pub type Candidates<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, AccountId, Candidate, OptionQuery>;

    /// Candidates with a seat in the next set, with their ranking weights.
    #[pallet::storage]
    pub type Elected<T: Config> =
        StorageValue<_, BoundedVec<Member, ConstU32<MAX_SEQUENCERS>>, ValueQuery>;

    /// The session that was planned last: the clock of polls and draws.
    #[pallet::storage]
    pub type Clock<T: Config> = StorageValue<_, SessionIndex, ValueQuery>;

    /// A draw that was announced and waits for chance.
    #[pallet::storage]
    pub type PendingDraw<T: Config> = StorageValue<_, Draw, OptionQuery>;

    /// The last epoch in which seats were drawn early.
    #[pallet::storage]
    pub type EarlyDraw<T: Config> = StorageValue<_, u32, OptionQuery>;

    /// From which session on one that was refused may announce itself again. Grows with
    /// accounts that have stake only.
    #[pallet::storage]
    pub type RefusedUntil<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, SessionIndex, OptionQuery>;

    /// Who signed twice. Grows only with proven offences of sequencers.
    #[pallet::storage]
    pub type Banned<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, (), OptionQuery>;

    /// Sequencers that were found to act together, oldest link first.
    #[pallet::storage]
    pub type Links<T: Config> = StorageValue<_, BoundedVec<Link, ConstU32<MAX_LINKS>>, ValueQuery>;

    /// The set in force, in its order.
    #[pallet::storage]
    pub type ActiveSequencers<T: Config> =
        StorageValue<_, BoundedVec<ActiveSequencer, ConstU32<MAX_SEQUENCERS>>, ValueQuery>;

    /// Vault keys of the set in force, in its order.
    #[pallet::storage]
    pub type VaultKeys<T: Config> =
        StorageValue<_, BoundedVec<ecdsa::Public, ConstU32<MAX_SEQUENCERS>>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The account is a member; once it has session keys it sequences from the
        /// second session end on.
        MemberAdded {
            /// Who.
            account: AccountId,
            /// Weight in the ranking of leaders.
            weight: u64,
        },
        /// The account is no member any more; it sequences no longer from the
        /// second session end on.
        MemberRemoved {
            /// Who.
            account: AccountId,
        },
        /// The ranking weight of a member was set; it counts at once.
        WeightSet {
            /// Whose.
            account: AccountId,
            /// The new weight.
            weight: u64,
        },
        /// Somebody wants to sequence; sequencers are asked when the session ends.
        Announced {
            /// Who.
            account: AccountId,
        },
        /// Somebody wants to sequence no more.
        Resigned {
            /// Who.
            account: AccountId,
        },
        /// More than two thirds of a sample vouch for a candidate.
        Attested {
            /// For whom.
            account: AccountId,
        },
        /// A sample does not vouch for a candidate (`SEQ_NOT_ELIGIBLE`); it may announce
        /// itself again.
        Refused {
            /// Whom.
            account: AccountId,
        },
        /// A candidate made room for one of larger weight.
        Displaced {
            /// Who.
            account: AccountId,
        },
        /// Seats were drawn.
        ElectionHeld {
            /// How many candidates have one.
            elected: u32,
        },
        /// A candidate lost its seat or its attestation.
        Removed {
            /// Who.
            account: AccountId,
        },
        /// Somebody signed twice, and never sequences again.
        Barred {
            /// Who.
            account: AccountId,
        },
        /// Governance lifted a ban.
        Pardoned {
            /// Whose.
            account: AccountId,
        },
        /// Two sequencers miss votes together, and share the seats of one entity
        /// (R22.1).
        Linked {
            /// One.
            first: AccountId,
            /// The other.
            second: AccountId,
            /// The first session in which they do not any more.
            until: SessionIndex,
        },
        /// A controller stands behind a candidate.
        ControllerConfirmed {
            /// The candidate.
            account: AccountId,
            /// Who controls it.
            controller: AccountId,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is a member already.
        AlreadyMember,
        /// There are as many members as a chain can have.
        TooManyMembers,
        /// The account is no member.
        NotAMember,
        /// Too few members with session keys would be left.
        TooFewSequencers,
        /// The account signed twice once (`SEQ_NOT_ELIGIBLE`).
        IsBanned,
        /// The account's reputation is too low (`SEQ_NOT_ELIGIBLE`).
        ScoreTooLow,
        /// The account's stake is too low (`SEQ_NOT_ELIGIBLE`).
        StakeTooLow,
        /// The account is a candidate, or a member.
        AlreadyCandidate,
        /// There are as many candidates as there can be, none of them of smaller
        /// weight.
        TooManyCandidates,
        /// The account is no candidate.
        NotACandidate,
        /// Nobody is asked about the candidate now.
        NoPoll,
        /// The sequencer is not asked, or has answered.
        NotAsked,
        /// The account is not banned.
        NotBanned,
        /// A sample did not vouch for the account lately: it has to wait for an epoch.
        RefusedLately,
        /// The candidate names another controller.
        NotTheController,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes an account a member. It sequences from the second session end
        /// after it has set its session keys.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::AlreadyMember`], [`Error::TooManyMembers`], [`Error::IsBanned`],
        /// [`Error::AlreadyCandidate`].
        ///
        /// ## Events
        /// `MemberAdded`.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::add_member(), DispatchClass::Operational))]
        pub fn add_member(origin: OriginFor<T>, member: Member) -> DispatchResult {
            ensure_root(origin)?;
            let Member { account, weight } = member.clone();
            ensure!(!Banned::<T>::contains_key(&account), Error::<T>::IsBanned);
            ensure!(!Candidates::<T>::contains_key(&account), Error::<T>::AlreadyCandidate);
            Members::<T>::try_mutate(|members| {
                ensure!(
                    members.iter().all(|known| known.account != account),
                    Error::<T>::AlreadyMember
                );
                let seats = members.len().saturating_add(Elected::<T>::decode_len().unwrap_or(0));
                ensure!(seats < MAX_SEQUENCERS as usize, Error::<T>::TooManyMembers);
                members.try_push(member).map_err(|_| Error::<T>::TooManyMembers)
            })?;
            Self::deposit_event(Event::MemberAdded { account, weight });
            Ok(())
        }

        /// Ends a membership. The account sequences until the second session end.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotAMember`], [`Error::TooFewSequencers`].
        ///
        /// ## Events
        /// `MemberRemoved`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::remove_member(), DispatchClass::Operational))]
        pub fn remove_member(origin: OriginFor<T>, account: AccountId) -> DispatchResult {
            ensure_root(origin)?;
            Members::<T>::try_mutate(|members| {
                let before = members.len();
                members.retain(|member| member.account != account);
                ensure!(members.len() < before, Error::<T>::NotAMember);
                let left = super::session::seated::<T>(members);
                ensure!(super::session::can_form_a_set::<T>(&left), Error::<T>::TooFewSequencers);
                Ok::<_, DispatchError>(())
            })?;
            Self::deposit_event(Event::MemberRemoved { account });
            Ok(())
        }

        /// Sets a member's weight in the ranking of leaders; it counts from the
        /// next block on.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotAMember`].
        ///
        /// ## Events
        /// `WeightSet`.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::set_weight(), DispatchClass::Operational))]
        pub fn set_weight(origin: OriginFor<T>, account: AccountId, weight: u64) -> DispatchResult {
            ensure_root(origin)?;
            Members::<T>::try_mutate(|members| {
                let member = members.iter_mut().find(|member| member.account == account);
                member.ok_or(Error::<T>::NotAMember)?.weight = weight;
                Ok::<_, DispatchError>(())
            })?;
            Self::deposit_event(Event::WeightSet { account, weight });
            Ok(())
        }

        /// Announces that the account wants to sequence (`SEQANNOUNCE`, R2.1, R2.5).
        ///
        /// `controller` names who stands behind it, if that is another account. Once that
        /// one [accepts](Pallet::accept) it, all its candidates share the seats of one
        /// entity (R22.3).
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::IsBanned`], [`Error::ScoreTooLow`], [`Error::StakeTooLow`],
        /// [`Error::AlreadyCandidate`], [`Error::RefusedLately`],
        /// [`Error::TooManyCandidates`].
        ///
        /// ## Events
        /// `Announced`; `Displaced` for another candidate.
        #[pallet::call_index(3)]
        #[pallet::weight(
            T::WeightInfo::announce().saturating_add(T::WeightInfo::displace())
        )]
        pub fn announce(
            origin: OriginFor<T>,
            endpoint: Endpoint,
            controller: Option<AccountId>,
        ) -> DispatchResultWithPostInfo {
            let account = ensure_signed(origin)?;
            let displaced = Self::do_announce(account, endpoint, controller)?;
            // Otherwise all that was reserved is used.
            Ok((!displaced).then(T::WeightInfo::announce).into())
        }

        /// Ends a candidacy. A sequencer leaves the set as it changes next, and must
        /// keep its stake until then.
        ///
        /// ## Dispatch Origin
        /// Signed by the candidate.
        ///
        /// ## Errors
        /// [`Error::NotACandidate`], [`Error::TooFewSequencers`].
        ///
        /// ## Events
        /// `Resigned`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::resign())]
        pub fn resign(origin: OriginFor<T>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(Candidates::<T>::contains_key(&account), Error::<T>::NotACandidate);
            ensure!(Self::take_seat(&account), Error::<T>::TooFewSequencers);
            Candidates::<T>::remove(&account);
            Self::deposit_event(Event::Resigned { account });
            Ok(())
        }

        /// Says whether a sequencer vouches for a candidate: that its node is there and
        /// answers, and that it is who it says (R2.4).
        ///
        /// ## Dispatch Origin
        /// Signed by the account of a sequencer that is asked.
        ///
        /// ## Errors
        /// [`Error::NotACandidate`], [`Error::NoPoll`], [`Error::NotAsked`].
        ///
        /// ## Events
        /// `Attested` or `Refused`, with the answer that decides.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::attest())]
        pub fn attest(
            origin: OriginFor<T>,
            candidate: AccountId,
            approves: bool,
        ) -> DispatchResult {
            let sequencer = ensure_signed(origin)?;
            Self::do_attest(&sequencer, candidate, approves)?;
            Ok(())
        }

        /// Lifts a ban.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotBanned`].
        ///
        /// ## Events
        /// `Pardoned`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::pardon())]
        pub fn pardon(origin: OriginFor<T>, account: AccountId) -> DispatchResult {
            ensure_root(origin)?;
            Banned::<T>::take(&account).ok_or(Error::<T>::NotBanned)?;
            Self::deposit_event(Event::Pardoned { account });
            Ok(())
        }

        /// Confirms that the caller controls a candidate that says so.
        ///
        /// ## Dispatch Origin
        /// Signed by the controller.
        ///
        /// ## Errors
        /// [`Error::NotACandidate`], [`Error::NotTheController`].
        ///
        /// ## Events
        /// `ControllerConfirmed`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::accept())]
        pub fn accept(origin: OriginFor<T>, candidate: AccountId) -> DispatchResult {
            let controller = ensure_signed(origin)?;
            Self::do_accept(&controller, &candidate)?;
            Self::deposit_event(Event::ControllerConfirmed { account: candidate, controller });
            Ok(())
        }

        /// As [`attest`](Pallet::attest), by a sequencer's node that has found the
        /// candidate's (R2.4): signed with the relay key, so that the account's own key
        /// stays cold (R30.6). Of the two the first answer counts.
        ///
        /// ## Dispatch Origin
        /// Authorised: the signature proves itself, and the answer is awaited.
        ///
        /// ## Errors
        /// [`Error::NotACandidate`], [`Error::NoPoll`], [`Error::NotAsked`].
        ///
        /// ## Events
        /// `Attested` or `Refused`, with the answer that decides.
        #[pallet::call_index(8)]
        #[pallet::authorize(Self::authorize_attestation)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_attestation())]
        #[pallet::weight(T::WeightInfo::attest())]
        pub fn attest_with_key(
            origin: OriginFor<T>,
            attestation: NodeAttestation,
            signature: ed25519::Signature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            // It was checked when the call was authorised.
            let _ = signature;
            let sequencer = <Self as SequencerSetProvider>::account(attestation.voter);
            let sequencer = sequencer.ok_or(Error::<T>::NotAsked)?;
            Self::do_attest(&sequencer, attestation.candidate, attestation.approves)?;
            Ok(())
        }
    }

    /// The first members; their session keys stand in pallet-session's genesis.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts and ranking weights.
        pub members: Vec<Member>,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        /// # Panics
        /// If there are more than [`MAX_SEQUENCERS`] members, or one twice.
        fn build(&self) {
            let accounts: BTreeSet<_> = self.members.iter().map(|m| &m.account).collect();
            assert!(accounts.len() == self.members.len(), "a sequencer is named twice");
            let Ok(members) = self.members.clone().try_into() else {
                panic!("there are more than {MAX_SEQUENCERS} sequencers");
            };
            Members::<T>::put::<BoundedVec<_, _>>(members);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            super::Pallet::<T>::check_state().map_err(Into::into)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The set that produces and certifies the next block, with all keys and
    /// weights, by index.
    pub fn sequencer_set() -> SequencerSet {
        let weighted = Self::weighted();
        let active = ActiveSequencers::<T>::get();
        let sealing = T::SealingKeys::get();
        let voting = T::VotingKeys::get();
        let vault = VaultKeys::<T>::get();
        let keys = active.into_iter().zip(sealing).zip(voting).zip(vault);
        let members = weighted
            .into_iter()
            .zip(keys)
            .map(|((account, weight), (((active, aura), grandpa), vault))| SequencerInfo {
                account,
                aura,
                grandpa,
                relay: active.relay,
                vault,
                weight,
            })
            .collect::<Vec<_>>();
        SequencerSet { set_id: T::SetId::get(), members }
    }

    /// What must hold between blocks: all lists are equally long, so no index
    /// is without one of its keys, no account is a member twice, and there are
    /// enough members for the next set.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let active = ActiveSequencers::<T>::get();
        let members = Members::<T>::get();
        let accounts: BTreeSet<_> = members.iter().map(|member| &member.account).collect();
        let lengths =
            [VaultKeys::<T>::get().len(), T::SealingKeys::get().len(), T::VotingKeys::get().len()];
        if lengths.into_iter().any(|length| length != active.len()) {
            return Err("the key lists of the set in force differ in length");
        }
        if accounts.len() != members.len() {
            return Err("somebody is a member twice");
        }
        if !session::can_form_a_set::<T>(&session::seated::<T>(&members)) {
            return Err("there are too few members with keys");
        }
        let elected = Elected::<T>::get();
        if elected.iter().any(|seat| !Candidates::<T>::contains_key(&seat.account)) {
            return Err("somebody is elected that is no candidate");
        }
        if elected.len().saturating_add(members.len()) > MAX_SEQUENCERS as usize {
            return Err("there are more seats than a set can have");
        }
        if Candidates::<T>::count() > candidates::MAX_CANDIDATES {
            return Err("there are too many candidates");
        }
        Ok(())
    }
}

impl<T: Config> SequencerSetProvider for Pallet<T> {
    fn set_id() -> u64 {
        T::SetId::get()
    }

    fn members() -> usize {
        ActiveSequencers::<T>::decode_len().unwrap_or(0)
    }

    fn account(index: u16) -> Option<AccountId> {
        ActiveSequencers::<T>::get().get(usize::from(index)).map(|active| active.account.clone())
    }

    fn relay_key(index: u16) -> Option<ed25519::Public> {
        ActiveSequencers::<T>::get().get(usize::from(index)).map(|active| active.relay)
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        let position =
            ActiveSequencers::<T>::get().iter().position(|active| active.relay == *key)?;
        u16::try_from(position).ok()
    }
}

impl<T: Config> SequencerWeights for Pallet<T> {
    fn weighted() -> Vec<(AccountId, u64)> {
        let (members, elected) = (Members::<T>::get(), Elected::<T>::get());
        let weight_of = |account: &AccountId| {
            let mut all = members.iter().chain(&elected);
            let seat = all.find(|member| member.account == *account).map(|member| member.weight);
            // One that stays until its seat is filled.
            let of_candidate = || Candidates::<T>::get(account).map(|candidate| candidate.weight);
            seat.or_else(of_candidate).unwrap_or(0)
        };
        let active = ActiveSequencers::<T>::get();
        let mut weights: Vec<u64> =
            active.iter().map(|active| weight_of(&active.account)).collect();
        election::cap(&mut weights);
        active.into_iter().map(|active| active.account).zip(weights).collect()
    }
}
