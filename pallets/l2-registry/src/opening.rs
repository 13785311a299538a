//! When a chain opens: the rules for those that are registered, and this one's own
//! bootstrap (R32).

use crate::pallet::{Chains, Config, Error, Event, OwnBootstrap, Pallet, Rules};
use cascoin_l2_primitives::{
    chain::{AccountId, Moment},
    registry::{ChainDefinition, ChainStatus, RegisteredChain},
    reputation::L1AddressProvider,
    time::FREE_STEP_MS,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    ensure,
    traits::{Get, Time},
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::DispatchError;

/// A day, milliseconds (R32.3).
const DAY_MS: Moment = 24 * 60 * 60 * 1_000;
/// R32.2.
const MIN_SEQUENCERS: u32 = 5;

/// By which rules chains open.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootstrapRules {
    /// How long before a chain is open to the public, milliseconds.
    pub bootstrap_ms: Moment,
    /// Least sequencers that a genesis names.
    pub min_sequencers: u32,
}

/// The rules of public networks: whoever wants other ones must say so.
impl Default for BootstrapRules {
    fn default() -> Self {
        Self { bootstrap_ms: DAY_MS, min_sequencers: MIN_SEQUENCERS }
    }
}

/// How far a chain's bootstrap is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Bootstrap {
    /// The chain is open.
    #[default]
    #[codec(index = 0)]
    Over,
    /// There was no block.
    #[codec(index = 1)]
    NotBegun,
    /// It lasts until the chain has lived for long enough.
    #[codec(index = 2)]
    Left {
        /// Time of the last block, milliseconds since 1970.
        last: Moment,
        /// What was left of it then, milliseconds; more than 0.
        ms: Moment,
    },
}

/// What is left at `now` of a bootstrap of which `ms` were left at `last`.
///
/// Each step from block to block counts, but at most [`FREE_STEP_MS`] of it. Else one leader
/// could end it alone, by a date of long ago in the first block; and so could an outage, in
/// which nobody watches the chain.
fn left(last: Moment, ms: Moment, now: Moment) -> Moment {
    ms.saturating_sub(now.saturating_sub(last).min(FREE_STEP_MS))
}

impl<T: Config> Pallet<T> {
    /// Whether everybody may use this chain: its own bootstrap is over.
    pub fn is_open() -> bool {
        match OwnBootstrap::<T>::get() {
            Bootstrap::Over => true,
            Bootstrap::NotBegun => false,
            Bootstrap::Left { last, ms } => left(last, ms, T::Time::now()) == 0,
        }
    }

    /// Where this chain is in its life, as a registry would show it. It knows no PAUSED, and
    /// no end.
    pub fn own_status() -> ChainStatus {
        if T::Emergency::get() {
            ChainStatus::Emergency
        } else if Self::is_open() {
            ChainStatus::Active
        } else {
            ChainStatus::Bootstrapping
        }
    }

    /// At the end of a block, which has a time.
    pub(crate) fn advance_bootstrap() {
        let now = T::Time::now();
        let ms = match OwnBootstrap::<T>::get() {
            Bootstrap::Over => return,
            Bootstrap::NotBegun => Rules::<T>::get().bootstrap_ms,
            Bootstrap::Left { last, ms } => left(last, ms, now),
        };
        if ms > 0 {
            OwnBootstrap::<T>::put(Bootstrap::Left { last: now, ms });
        } else {
            OwnBootstrap::<T>::kill();
            Self::deposit_event(Event::BootstrapEnded);
        }
    }

    /// Changes the status of a chain as `signer` wants, or root (`None`); gives the former
    /// one. `stands` says whether its registration is on L1.
    ///
    /// # Errors
    /// The rule that says no.
    pub(crate) fn change_status(
        signer: Option<AccountId>,
        id: u32,
        status: ChainStatus,
        stands: fn(&RegisteredChain) -> bool,
    ) -> Result<ChainStatus, DispatchError> {
        Chains::<T>::try_mutate(id, |stored| -> Result<ChainStatus, DispatchError> {
            let chain = stored.as_mut().ok_or(Error::<T>::UnknownChain)?;
            let from = chain.status;
            let may = match &signer {
                None => from.governance_may(status),
                Some(account) => {
                    let proven = T::Deployers::has_proven(account, &chain.owner);
                    ensure!(proven, Error::<T>::NotTheDeployer);
                    from.deployer_may(status)
                }
            };
            ensure!(may, Error::<T>::NoSuchChange);
            if status == ChainStatus::Active {
                ensure!(stands(chain), Error::<T>::NotOnL1);
                Self::check_opening(chain)?;
                chain.opened = true;
            }
            chain.status = status;
            chain.status_since = T::Time::now();
            Ok(from)
        })
    }

    /// Whether a registered chain may become active, if its registration is on L1.
    ///
    /// # Errors
    /// The rule that says no.
    fn check_opening(chain: &RegisteredChain) -> Result<(), Error<T>> {
        ensure!(chain.unlock > T::L1Height::get(), Error::<T>::StakeEnded);
        if chain.opened {
            return Ok(());
        }
        let definition = chain.definition.ok_or(Error::<T>::NotDefined)?;
        let rules = Rules::<T>::get();
        let end = chain.registered_at.saturating_add(rules.bootstrap_ms);
        ensure!(T::Time::now() >= end, Error::<T>::StillBootstrapping);
        ensure!(definition.sequencers >= rules.min_sequencers, Error::<T>::TooFewSequencers);
        ensure!(Self::is_rehearsed(chain, &definition), Error::<T>::NoRehearsal);
        Ok(())
    }

    fn is_rehearsed(chain: &RegisteredChain, definition: &ChainDefinition) -> bool {
        if !definition.mainnet {
            return true;
        }
        Chains::<T>::get(definition.rehearsal).is_some_and(|rehearsal| {
            rehearsal.opened
                && rehearsal.owner == chain.owner
                && rehearsal.definition.is_some_and(|definition| !definition.mainnet)
        })
    }
}
