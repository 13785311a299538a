//! The registry of layer 2 chains, and the time before this one opens.
//!
//! ## Overview
//!
//! A chain is registered on L1 ([`registration`]), where its deployer locks coins (R1.4).
//! The relay tells each chain that L1's users name of it, so that every chain can keep a
//! registry; users look at one they trust. The registration binds the chain's
//! [definition](ChainDefinition), and with it the genesis block (R32.1), by a hash. Anybody
//! who knows the definition shows it with [`define`](Pallet::define).
//!
//! A chain begins as BOOTSTRAPPING. Who deploys it, that is who has proven to hold the L1 key
//! that the coins go back to, opens, pauses and ends it; governance may too, and alone declares
//! an emergency and ends it ([`ChainStatus`]). It opens for the first time by rules
//! ([`BootstrapRules`]): its definition is known and names enough sequencers (R32.2), it was
//! registered for long enough (R32.3), and for money it has had a test network of the same
//! deployer that was opened (R32.6). What opened once opens again without these. No chain
//! opens without its deployer's coins being locked.
//!
//! The same rules hold for the chain that this pallet is part of: while its own bootstrap
//! lasts, [`Pallet::is_open`] says no, and the runtime's call filter lets nobody make public
//! transactions. The period begins with the first block, and what counts is the time that the
//! chain lives: of each step from block to block at most
//! [`FREE_STEP_MS`](cascoin_l2_primitives::time::FREE_STEP_MS).
//!
//! [`Pallet::own_status`] says where this chain is in its life: an outage makes it EMERGENCY
//! by rule (`pallets/liveness`), whoever governs.
//!
//! The registry says what deployers and governance say. It opens or stops no other chain:
//! those have nodes of their own.
//!
//! ## What holds
//!
//! - An id is one chain's: it follows from an output of L1 that can be spent once, and who
//!   comes second to an id is ignored (R1.3), unless L1 forked and the first is gone from it.
//! - No chain opens whose registration is not on L1's attested branch.
//! - Storage is bounded: [`MAX_CHAINS`] chains. When there are as many, one whose coins L1
//!   has freed gives way to who comes, the one that ended first; if there is none, who
//!   comes is ignored. So nobody's place is taken while its coins are locked.
//! - By its name the chain is found that came first of those that are kept: no later one
//!   takes a name from it, and if it goes, the next one has it.
//! - A definition is what L1 bound, or there is none.
//! - A chain that was ever active has a definition.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`define`](Pallet::define) | anybody | fee | `ChainDefined` |
//! | [`set_status`](Pallet::set_status) | the chain's deployer, root | fee | `ChainStatusSet` |
//!
//! What the relay tells: `ChainRegistered`, `ChainMoved`, `ChainForgotten`,
//! `RegistrationIgnored`.
//!
//! [`registration`]: cascoin_l2_primitives::l1::registration
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod hear;
mod opening;
mod query;
pub mod weights;

#[cfg(test)]
mod bootstrap_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use hear::Ignored;
pub use opening::{Bootstrap, BootstrapRules};
pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

/// Most chains that are kept.
pub const MAX_CHAINS: u32 = 1_024;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::{
        chain::{AccountId, Balance, Moment},
        l1::{registration::ChainName, OutPoint},
        registry::{ChainDefinition, ChainStatus, RegisteredChain},
        relay::L1Branch,
        reputation::L1AddressProvider,
    };
    use frame_support::{pallet_prelude::*, traits::Time};
    use frame_system::pallet_prelude::*;
    use sp_core::H160;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The id by which L1 names this chain.
        type ChainId: Get<u32>;

        /// Least coins that a deployer locks, base units (R1.4).
        type MinStake: Get<Balance>;

        /// The last L1 block all of whose events are applied.
        type L1Height: Get<u32>;

        /// Which L1 blocks stand on the attested branch.
        type L1Blocks: L1Branch;

        /// Who holds which key of L1.
        type Deployers: L1AddressProvider;

        /// L2 time.
        type Time: Time<Moment = Moment>;

        /// Whether this chain is in an emergency.
        type Emergency: Get<bool>;

        /// Weights of the calls, of an event of L1 and of a block.
        type WeightInfo: WeightInfo;
    }

    /// The chains by their ids.
    #[pallet::storage]
    pub type Chains<T> = StorageMap<_, Blake2_128Concat, u32, RegisteredChain, OptionQuery>;

    /// The chains of each name that are kept, in the order in which they came. By a name its
    /// first is found.
    #[pallet::storage]
    pub type Names<T> = StorageMap<
        _,
        Blake2_128Concat,
        ChainName,
        BoundedVec<u32, ConstU32<MAX_CHAINS>>,
        ValueQuery,
    >;

    /// All chains: the L1 height that nobody can spend the deployer's coins at or below, and
    /// the id, in this order.
    #[pallet::storage]
    pub type Ends<T> = StorageValue<_, BoundedVec<(u32, u32), ConstU32<MAX_CHAINS>>, ValueQuery>;

    /// By which rules chains open, this one and those registered.
    #[pallet::storage]
    pub type Rules<T> = StorageValue<_, BootstrapRules, ValueQuery>;

    /// How far this chain's own bootstrap is. The end of each block reads it, and every call
    /// does, so that weights take it as read.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type OwnBootstrap<T> = StorageValue<_, Bootstrap, ValueQuery>;

    /// The rules by which this network's chains open.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The rules.
        pub rules: BootstrapRules,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Rules::<T>::put(self.rules);
            if self.rules.bootstrap_ms > 0 {
                OwnBootstrap::<T>::put(Bootstrap::NotBegun);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A chain is registered.
        ChainRegistered {
            /// Its id.
            id: u32,
            /// Its name.
            name: ChainName,
            /// Its deployer: HASH160 of a key.
            owner: H160,
            /// The deployer's coins, base units.
            value: u64,
            /// The L1 height that nobody can spend them at or below.
            unlock: u32,
        },
        /// A registration on L1 changes nothing here.
        RegistrationIgnored {
            /// The output that holds the deployer's coins.
            outpoint: OutPoint,
            /// Why.
            reason: Ignored,
        },
        /// A chain's registration stands in another L1 block than before: L1 forked.
        ChainMoved {
            /// Its id.
            id: u32,
            /// Height of the block.
            l1_height: u32,
        },
        /// A chain gave way to another one: its deployer's coins were free, or L1 forked and
        /// has the other one in its place.
        ChainForgotten {
            /// Its id.
            id: u32,
        },
        /// Somebody showed what a chain is.
        ChainDefined {
            /// Its id.
            id: u32,
            /// What it is.
            definition: ChainDefinition,
        },
        /// A chain's status changed.
        ChainStatusSet {
            /// Its id.
            id: u32,
            /// What it was.
            from: ChainStatus,
            /// What it is.
            to: ChainStatus,
        },
        /// This chain is open to the public from the next block on (R32.3).
        BootstrapEnded,
    }

    #[pallet::error]
    pub enum Error<T> {
        /// No chain with this id is registered here.
        UnknownChain,
        /// The chain's definition is known.
        AlreadyDefined,
        /// It is not what the registration on L1 binds.
        WrongDefinition,
        /// No chain can run with it.
        UnusableDefinition,
        /// The account has not proven to hold the deployer's L1 key.
        NotTheDeployer,
        /// The status cannot become this one, or not by this caller.
        NoSuchChange,
        /// The deployer's coins are locked no longer.
        StakeEnded,
        /// L1 left the block of the registration, and has none in its place so far.
        NotOnL1,
        /// The chain's definition has not been shown.
        NotDefined,
        /// The bootstrap period is not over.
        StillBootstrapping,
        /// The chain's genesis names too few sequencers.
        TooFewSequencers,
        /// The deployer has not opened the test network that the definition names.
        NoRehearsal,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Shows the definition of a registered chain.
        ///
        /// ## Dispatch Origin
        /// Signed, by anybody: L1 bound what is shown.
        ///
        /// ## Errors
        /// [`Error::UnknownChain`], [`Error::AlreadyDefined`], [`Error::WrongDefinition`],
        /// [`Error::UnusableDefinition`].
        ///
        /// ## Events
        /// `ChainDefined`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::define())]
        pub fn define(
            origin: OriginFor<T>,
            id: u32,
            definition: ChainDefinition,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Chains::<T>::try_mutate(id, |stored| -> DispatchResult {
                let chain = stored.as_mut().ok_or(Error::<T>::UnknownChain)?;
                ensure!(chain.definition.is_none(), Error::<T>::AlreadyDefined);
                ensure!(definition.hash() == chain.definition_hash, Error::<T>::WrongDefinition);
                ensure!(definition.is_usable(), Error::<T>::UnusableDefinition);
                chain.definition = Some(definition);
                Ok(())
            })?;
            Self::deposit_event(Event::ChainDefined { id, definition });
            Ok(())
        }

        /// Changes the status of a registered chain.
        ///
        /// ## Dispatch Origin
        /// Root; or signed, by an account that has proven to hold the deployer's L1 key
        /// (`reputation.link_l1_address`).
        ///
        /// ## Errors
        /// [`Error::UnknownChain`], [`Error::NotTheDeployer`], [`Error::NoSuchChange`]; where
        /// the chain becomes active [`Error::StakeEnded`], [`Error::NotOnL1`], and for the
        /// first time besides [`Error::NotDefined`], [`Error::StillBootstrapping`], [`Error::TooFewSequencers`],
        /// [`Error::NoRehearsal`].
        ///
        /// ## Events
        /// `ChainStatusSet`.
        // `has_proven` is one read and `has_block` two, whoever answers them.
        #[pallet::call_index(1)]
        #[pallet::weight(
            T::WeightInfo::set_status().saturating_add(T::DbWeight::get().reads(3))
        )]
        pub fn set_status(origin: OriginFor<T>, id: u32, status: ChainStatus) -> DispatchResult {
            let signer = ensure_signed_or_root(origin)?;
            let from = Self::change_status(signer, id, status, Self::stands)?;
            Self::deposit_event(Event::ChainStatusSet { id, from, to: status });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::block()
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::advance_bootstrap();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}
