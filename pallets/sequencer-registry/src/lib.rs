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
//! 1. It bonds stake, part of which may be locked on L1 instead, and has a reputation
//!    ([`Pallet::eligibility`]).
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
//! seat (`SEQ_OFFLINE`), as far as the set stays large enough, and so does whoever keeps L1
//! from being attested, appointed or not (R17.6). After a session in which
//! blocks came late too often, those who led in vain lose their seats before the epoch
//! ends (R25.5).
//!
//! ## Keys in wrong hands
//!
//! Who signed twice, and whose keys are revoked by an L1 transaction ([`revocation`]),
//! leads no round any more from the next block on, and what else is signed with its keys
//! counts for nothing but votes ([`barred`], R30.4, R30.5). The key that revokes is
//! [named](Pallet::set_revocation_key) beforehand.
//!
//! Two sequencers that are reported to go missing together more often than chance explains
//! share the seats of one entity for some time ([`links`], R22.1). Two
//! whose coins one wallet has spent together on L1 are one entity for good ([`clusters`],
//! R22.2).
//!
//! ## A set that does nothing
//!
//! Others that may sequence can go on from its last block, where operators accept that: they
//! get all seats at once (`succession`, R17.6, ADR 0035).
//!
//! ## Changes by governance
//!
//! Governance (Root; sudo on test networks) appoints and removes members. Every change
//! takes effect at the second session end after it (who joins, at the second that does not
//! come early because keys were revoked), with a new set id:
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
//! | [`set_revocation_key`](Pallet::set_revocation_key) | a member or candidate | fee | `RevocationKeyNamed` |
//! | [`report_common_inputs`](Pallet::report_common_inputs) | anybody | none if it is so, else fee | `CommonInputsFound` |
//! | [`lift_common_inputs`](Pallet::lift_common_inputs) | root | | `CommonInputsLifted` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod announce;
pub mod attestation;
mod authorize;
pub mod barred;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod candidate_tests;
pub mod candidates;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod cluster_tests;
pub mod clusters;
pub mod crypto;
#[cfg(test)]
mod draw_tests;
#[cfg(test)]
mod early_end_tests;
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
pub mod revocation;
#[cfg(test)]
mod revocation_tests;
mod seats;
mod session;
mod succession;
#[cfg(test)]
mod succession_tests;
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
pub use revocation::RegisteredKeys;
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
    /// The entity whose weight it has part of, as it was known when the session began.
    pub entity: AccountId,
}

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::{
        barred::{BarredKey, MAX_BARRED},
        candidates::{Candidate, Draw, Endpoint},
        clusters::{ClusterList, MAX_LIFTED},
        links::{Link, MAX_LINKS},
        revocation::{EarlyEnds, RegisteredKeys, RevocationIgnored},
        ActiveSequencer, Member, WeightInfo,
    };
    use alloc::{collections::BTreeSet, vec::Vec};
    use cascoin_l2_primitives::{
        chain::{AccountId, BlockNumber, ChainParameters, MAX_SEQUENCERS},
        l1::{common_inputs::CommonInputsProof, L1Hash},
        relay::L1Chance,
        reputation::{L1AddressProvider, ReputationProvider},
        sequencers::{NodeAttestation, RevocationKey, SequencerSetProvider, StakeProvider},
    };
    use frame_support::{pallet_prelude::*, traits::Contains};
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{ecdsa, ed25519, H160, H256};
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
        /// Id of the set in force; MUST grow with each change.
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
        /// These keys themselves.
        type Keys: RegisteredKeys;
        /// Until another revocation key counts than the one that is named, L2 blocks.
        type RevocationKeyDelay: Get<BlockNumber>;
        /// Least number of members with keys that a removal may leave.
        type MinSequencers: Get<u32>;
        /// The chain's parameters: what a sequencer needs, and how many there are.
        type Parameters: Get<ChainParameters>;
        /// Reputations.
        type Reputation: ReputationProvider;
        /// Which L1 addresses accounts have proven to hold.
        type L1Addresses: L1AddressProvider;
        /// Stakes.
        type Stake: StakeProvider;
        /// The L1 blocks that are applied: chance, and what transactions are proven by.
        type Chance: L1Chance;
        /// The accounts of the set that comes into force when the session ends.
        type Planned: Get<Vec<AccountId>>;
        /// Whether elections rest, because stakes are not what they will be: the set goes on,
        /// but for who is barred, and the clock stands still.
        type ElectionsRest: Get<bool>;
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

    /// The clock of polls, draws, refusals and links: the session that was planned last, but
    /// that sessions that end early, because keys were revoked, do not count.
    #[pallet::storage]
    pub type Clock<T: Config> = StorageValue<_, SessionIndex, ValueQuery>;

    /// A draw that was announced and waits for chance.
    #[pallet::storage]
    pub type PendingDraw<T: Config> = StorageValue<_, Draw, OptionQuery>;

    /// The last epoch in which seats were drawn early.
    #[pallet::storage]
    pub type EarlyDraw<T: Config> = StorageValue<_, u32, OptionQuery>;

    /// Whether somebody is out for ever since the last session end, or out because it withheld
    /// relay votes or others took over, so that the free seats are to be drawn before the epoch
    /// ends.
    #[pallet::storage]
    pub type SeatsFreed<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// From which session on one that was refused may announce itself again. Grows with
    /// accounts that have stake only.
    #[pallet::storage]
    pub type RefusedUntil<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, SessionIndex, OptionQuery>;

    /// Who signed twice, or censored again and again. Grows only with proven offences of
    /// sequencers.
    #[pallet::storage]
    pub type Banned<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, (), OptionQuery>;

    /// Of the banned, those whose keys stay good while they are in the set: who censored and
    /// did not sign twice.
    #[pallet::storage]
    pub type KeysKept<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, (), OptionQuery>;

    /// Keys that count for nothing but votes.
    #[pallet::storage]
    pub type BarredKeys<T: Config> =
        StorageValue<_, BoundedVec<BarredKey, ConstU32<MAX_BARRED>>, ValueQuery>;

    /// The L1 keys with which accounts' session keys are revoked. Grows with accounts
    /// that have or had stake, or were appointed.
    #[pallet::storage]
    pub type RevocationKeys<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, RevocationKey, OptionQuery>;

    /// Sessions that end early, because keys were revoked.
    #[pallet::storage]
    pub type ForcedRotations<T: Config> = StorageValue<_, EarlyEnds, ValueQuery>;

    /// Sequencers that were found to act together, oldest link first.
    #[pallet::storage]
    pub type Links<T: Config> = StorageValue<_, BoundedVec<Link, ConstU32<MAX_LINKS>>, ValueQuery>;

    /// Accounts that common inputs on L1 make one wallet's.
    #[pallet::storage]
    pub type Clusters<T: Config> = StorageValue<_, ClusterList, ValueQuery>;

    /// L1 transactions that prove nothing more, the one that was lifted first first.
    #[pallet::storage]
    pub type LiftedTransactions<T: Config> =
        StorageValue<_, BoundedVec<L1Hash, ConstU32<MAX_LIFTED>>, ValueQuery>;

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
        /// A candidate got a seat without a draw, since it takes over with others from a set
        /// that did nothing.
        Seated {
            /// Who.
            account: AccountId,
        },
        /// Seats were drawn.
        ElectionHeld {
            /// How many candidates have one.
            elected: u32,
        },
        /// A candidate lost its seat or its attestation, or a member its seat because it
        /// withheld relay votes; or either because others took over from its set.
        Removed {
            /// Who.
            account: AccountId,
        },
        /// Somebody signed twice or censored again and again, and never sequences again.
        Barred {
            /// Who.
            account: AccountId,
        },
        /// Governance lifted a ban.
        Pardoned {
            /// Whose.
            account: AccountId,
        },
        /// Two sequencers go missing together, and share the seats of one entity
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
        /// An account named the L1 key with which its session keys are revoked.
        RevocationKeyNamed {
            /// The account.
            account: AccountId,
            /// HASH160 of the key; `None` for none.
            key: Option<H160>,
            /// The block from which on it counts.
            from: BlockNumber,
        },
        /// All session keys of an account were revoked on L1.
        KeysRevoked {
            /// Whose.
            account: AccountId,
            /// Height of the L1 block.
            l1_height: u32,
        },
        /// Nothing follows from a revocation on L1.
        RevocationIgnored {
            /// Whose keys it names.
            account: AccountId,
            /// HASH160 of the key that signed it.
            signer: H160,
            /// Height of the L1 block.
            l1_height: u32,
            /// Why.
            reason: RevocationIgnored,
        },
        /// One wallet has spent coins of two accounts together on L1; they share the seats
        /// and the weight of one entity (R22.2, R22.3).
        CommonInputsFound {
            /// One.
            first: AccountId,
            /// The other.
            second: AccountId,
            /// The transaction.
            txid: L1Hash,
            /// The height of its block.
            l1_height: u32,
        },
        /// Governance has taken an account out of its cluster.
        CommonInputsLifted {
            /// The account.
            account: AccountId,
            /// The transaction that proves nothing more.
            txid: L1Hash,
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
        /// The account signed twice once, or censored again and again (`SEQ_NOT_ELIGIBLE`).
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
        /// It is so already.
        NothingChanges,
        /// It is the same account twice.
        NoPair,
        /// One of the accounts neither sequences nor wants to.
        NotASequencer,
        /// It is known that the two are one wallet's.
        KnownAlready,
        /// The block is not applied, or too old, or not of L1.
        UnknownL1Block,
        /// The transaction was not mined in the block, or it does not prove that one wallet
        /// holds the two keys.
        NotProven,
        /// The keys are not known to be the accounts'.
        NotTheirKeys,
        /// Governance has lifted the transaction.
        Lifted,
        /// The account is in no cluster.
        NotClustered,
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
            KeysKept::<T>::remove(&account);
            BarredKeys::<T>::mutate(|all| all.retain(|key| key.revoked || key.account != account));
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

        /// Names the L1 key with which the caller's session keys can be revoked by an L1
        /// transaction (R30.5): HASH160 of a compressed secp256k1 key, or none. The first
        /// one counts at once. Where there is one, another counts after
        /// [`Config::RevocationKeyDelay`], and the old one until then; naming that again
        /// takes the change back.
        ///
        /// ## Dispatch Origin
        /// Signed by a member or candidate.
        ///
        /// ## Errors
        /// [`Error::NotASequencer`], [`Error::NothingChanges`].
        ///
        /// ## Events
        /// `RevocationKeyNamed`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::set_revocation_key())]
        pub fn set_revocation_key(origin: OriginFor<T>, key: Option<H160>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(Self::may_name_key(&account), Error::<T>::NotASequencer);
            Self::name_revocation_key(account, key)?;
            Ok(())
        }

        /// Proves that one wallet has spent coins of two accounts together on L1: they are
        /// one entity from then on. Free if that is so.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::NoPair`], [`Error::NotASequencer`], [`Error::KnownAlready`],
        /// [`Error::Lifted`], [`Error::UnknownL1Block`], [`Error::NotProven`],
        /// [`Error::NotTheirKeys`].
        ///
        /// ## Events
        /// `CommonInputsFound`.
        #[pallet::call_index(11)]
        #[pallet::weight(
            T::WeightInfo::report_common_inputs(proof.inclusion.transaction.len() as u32)
        )]
        pub fn report_common_inputs(
            origin: OriginFor<T>,
            first: AccountId,
            second: AccountId,
            proof: CommonInputsProof,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let txid = Self::do_report_common_inputs(&first, &second, &proof)?;
            let l1_height = proof.inclusion.height;
            Self::deposit_event(Event::CommonInputsFound { first, second, txid, l1_height });
            Ok(Pays::No.into())
        }

        /// Takes an account out of the cluster of one wallet, because it signed the
        /// transaction with somebody else; that transaction proves nothing more. Others
        /// stay in the cluster.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotClustered`].
        ///
        /// ## Events
        /// `CommonInputsLifted`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::lift_common_inputs())]
        pub fn lift_common_inputs(
            origin: OriginFor<T>,
            account: AccountId,
            txid: L1Hash,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::do_lift_common_inputs(&account, txid)?;
            Self::deposit_event(Event::CommonInputsLifted { account, txid });
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
        let keys = keys.zip(Self::barred_in_force());
        let members = weighted
            .into_iter()
            .zip(keys)
            .map(|((account, weight), ((((active, aura), grandpa), vault), barred))| {
                let relay = active.relay;
                SequencerInfo { account, aura, grandpa, relay, vault, weight, barred }
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
        let barred = BarredKeys::<T>::get();
        let keys: BTreeSet<_> = barred.iter().map(|key| (&key.account, key.relay)).collect();
        if keys.len() != barred.len() {
            return Err("keys are barred twice");
        }
        if ForcedRotations::<T>::get().due > revocation::ROTATIONS {
            return Err("more sessions are to end early than a revocation ends");
        }
        let clusters = Clusters::<T>::get();
        let clustered: BTreeSet<_> = clusters.iter().map(|one| &one.account).collect();
        if clustered.len() != clusters.len() {
            return Err("an account is in two clusters");
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

    fn leaders() -> usize {
        let barred: Vec<bool> = Self::barred_in_force().collect();
        match barred.iter().filter(|barred| !**barred).count() {
            0 => barred.len(),
            some => some,
        }
    }

    fn relay_key(index: u16) -> Option<ed25519::Public> {
        let active = ActiveSequencers::<T>::get();
        let one = active.get(usize::from(index))?;
        (!Self::is_barred(&one.account, &one.relay)).then_some(one.relay)
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        let active = ActiveSequencers::<T>::get();
        let position = active.iter().position(|active| active.relay == *key)?;
        let one = active.get(position)?;
        if Self::is_barred(&one.account, key) {
            return None;
        }
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
        let mut weights: Vec<(AccountId, u64)> =
            active.iter().map(|one| (one.entity.clone(), weight_of(&one.account))).collect();
        election::cap_set(&mut weights);
        let weights = weights.into_iter().map(|(_, weight)| weight);
        active.into_iter().map(|active| active.account).zip(weights).collect()
    }
}
