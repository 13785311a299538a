//! Measures what `weights.rs` estimates, with as many chains as there can be.

use crate::{
    pallet::{Call, Chains, Config, Ends, OwnBootstrap, Pallet, Rules},
    Bootstrap, BootstrapRules, MAX_CHAINS,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::BlockHash,
    l1::{
        registration::{ChainName, FIRST_CHAIN_ID},
        L1Hash, OutPoint,
    },
    registry::{ChainDefinition, ChainStatus},
    relay::{L1BlockContext, L1Event, OnL1Event},
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

/// Blocks for which the deployers' coins are locked.
const LOCKED: u32 = 100;

/// A name of the largest size for each number.
fn name(number: u32) -> ChainName {
    let digits = (0..8).map(|place| b'a' + ((number >> (4 * place)) & 15) as u8);
    let bytes: Vec<u8> = b"chain".iter().copied().chain(digits).collect();
    BoundedVec::truncate_from(bytes)
}

fn definition(mainnet: bool) -> ChainDefinition {
    ChainDefinition {
        mainnet,
        genesis: BlockHash::repeat_byte(1),
        block_time_ms: 500,
        gas_limit: 30_000_000,
        challenge_period_s: 604_800,
        sequencers: 5,
        rehearsal: if mainnet { FIRST_CHAIN_ID } else { 0 },
    }
}

fn registration<T: Config>(id: u32, mainnet: bool) -> L1Event {
    L1Event::ChainRegistration {
        outpoint: OutPoint { txid: L1Hash::of(&id.to_le_bytes()), vout: 1 },
        chain_id: T::ChainId::get(),
        id,
        // Of half of them each: lists as long as two can be.
        name: name((id.saturating_sub(FIRST_CHAIN_ID) / (MAX_CHAINS / 2)).min(1)),
        definition: definition(mainnet).hash(),
        owner: Default::default(),
        value: u64::try_from(T::MinStake::get()).expect("L1 has no more units"),
        unlock: T::L1Height::get().saturating_add(LOCKED),
    }
}

fn tell<T: Config>(event: &L1Event, blocks: u32) {
    let height = T::L1Height::get().saturating_add(blocks);
    Pallet::<T>::on_event(event, &L1BlockContext { height, ..Default::default() });
}

/// Rules by which a chain opens at once.
fn open_at_once<T: Config>() {
    Rules::<T>::put(BootstrapRules { bootstrap_ms: 0, min_sequencers: 1 });
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn hear() {
        for id in FIRST_CHAIN_ID..FIRST_CHAIN_ID + MAX_CHAINS {
            tell::<T>(&registration::<T>(id, false), 1);
        }
        assert_eq!(Ends::<T>::get().len(), MAX_CHAINS as usize);
        let newcomer = FIRST_CHAIN_ID + MAX_CHAINS;
        let event = registration::<T>(newcomer, false);
        #[block]
        {
            tell::<T>(&event, LOCKED + 1);
        }
        assert!(Chains::<T>::contains_key(newcomer));
        assert!(!Chains::<T>::contains_key(FIRST_CHAIN_ID));
    }

    #[benchmark]
    fn define() {
        tell::<T>(&registration::<T>(FIRST_CHAIN_ID, false), 1);
        let caller: T::AccountId = whitelisted_caller();
        #[extrinsic_call]
        define(RawOrigin::Signed(caller), FIRST_CHAIN_ID, definition(false));
        assert!(Chains::<T>::get(FIRST_CHAIN_ID).is_some_and(|chain| chain.definition.is_some()));
    }

    /// All but looking who signed and whether the registration stands on L1.
    #[benchmark]
    fn set_status() {
        open_at_once::<T>();
        let mainnet = FIRST_CHAIN_ID + 1;
        for (id, is_mainnet) in [(FIRST_CHAIN_ID, false), (mainnet, true)] {
            tell::<T>(&registration::<T>(id, is_mainnet), 1);
            Chains::<T>::mutate(id, |chain| {
                if let Some(chain) = chain {
                    chain.definition = Some(definition(is_mainnet));
                    chain.opened = !is_mainnet;
                }
            });
        }
        #[block]
        {
            Pallet::<T>::change_status(None, mainnet, ChainStatus::Active, |_| true)
                .expect("all rules are kept; qed");
        }
        assert!(Chains::<T>::get(mainnet).is_some_and(|chain| chain.opened));
    }

    #[benchmark]
    fn block() {
        OwnBootstrap::<T>::put(Bootstrap::NotBegun);
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::default());
            Pallet::<T>::on_finalize(BlockNumberFor::<T>::default());
        }
        assert_ne!(OwnBootstrap::<T>::get(), Bootstrap::NotBegun);
    }
}
