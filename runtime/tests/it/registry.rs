//! The registry of layer 2 chains and the time before the chain opens, through the whole
//! runtime.

use crate::{
    candidates::submit,
    chain::{preset, transfer, Applied, Chain},
    stake::apply,
    trust::eves_wallet,
};
use cascoin_l2_primitives::{
    chain::BlockHash,
    l1::{registration::chain_name, L1Hash, OutPoint},
    registry::{ChainDefinition, ChainStatus},
    relay::L1Event,
};
use cascoin_l2_runtime::{L2Registry, Runtime, RuntimeCall};
use pallet_l2_registry::{Call, Error};
use sp_core::H160;
use sp_keyring::Sr25519Keyring::{Bob, Eve};
use sp_runtime::DispatchError;

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
/// A thousand coins of its L1.
const STAKE: u64 = 100_000_000_000;
/// Some deployer's L1 key.
const OWNER: H160 = H160([7; 20]);

fn definition() -> ChainDefinition {
    ChainDefinition {
        mainnet: false,
        genesis: BlockHash::repeat_byte(1),
        block_time_ms: 500,
        gas_limit: 30_000_000,
        challenge_period_s: 604_800,
        sequencers: 1,
        rehearsal: 0,
    }
}

fn registration(id: u32, owner: H160, value: u64) -> L1Event {
    L1Event::ChainRegistration {
        outpoint: OutPoint { txid: L1Hash::of(&id.to_le_bytes()), vout: 1 },
        chain_id: CHAIN,
        id,
        name: chain_name(b"demo").expect("a name"),
        definition: definition().hash(),
        owner,
        value,
        unlock: 90_000,
    }
}

#[test]
fn r1_5_a_chain_registered_on_l1_is_defined_by_anybody_and_opened_by_its_deployer() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (owner, link) = eves_wallet(&mut chain);
    // The second has a unit less than R1.4 asks for.
    let registered = [STAKE, STAKE - 1].into_iter().zip(1_000..);
    let events = registered.map(|(stake, id)| registration(id, owner, stake)).collect();
    apply(&mut chain, 1, events);
    let listed = chain.read(|| L2Registry::chains(false));
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].chain.owner), (1_000, owner));
    assert_eq!(listed[0].chain.registered_at, chain.time);

    let define = RuntimeCall::L2Registry(Call::define { id: 1_000, definition: definition() });
    assert_eq!(submit(&mut chain, Bob, define), Ok(Ok(())));
    let open =
        || RuntimeCall::L2Registry(Call::set_status { id: 1_000, status: ChainStatus::Active });
    let stranger = DispatchError::from(Error::<Runtime>::NotTheDeployer);
    assert_eq!(submit(&mut chain, Eve, open()), Ok(Err(stranger)));
    // Eve proves to hold the key, by the wallet's signature.
    assert_eq!(submit(&mut chain, Eve, link), Ok(Ok(())));
    assert_eq!(submit(&mut chain, Eve, open()), Ok(Ok(())));
    let active = chain.read(|| L2Registry::chains(true));
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].chain.definition, Some(definition()));
}

/// Nobody moves coins before the chain opens, whatever the transfer is wrapped in; the
/// chain's own work goes on.
#[test]
fn r32_3_the_public_waits_until_the_chain_opens() {
    let mut genesis = preset("regtest");
    genesis.l2_registry.rules.bootstrap_ms = 3_000;
    let mut chain = Chain::from(genesis);
    // Blocks are half a second apart, and the first one's time is the beginning.
    chain.grow(vec![]);
    let filtered: Applied = Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into()));
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), filtered);
    let batch = pallet_utility::Call::batch_all { calls: vec![transfer(Eve, 1)] };
    assert_eq!(submit(&mut chain, Bob, RuntimeCall::Utility(batch)), filtered);
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: 100_000_000 });
    assert_eq!(submit(&mut chain, Bob, bond), Ok(Ok(())));
    apply(&mut chain, 1, vec![registration(1_000, OWNER, STAKE)]);
    assert_eq!(chain.read(|| L2Registry::chains(false)).len(), 1);
    // Two and a half seconds after the first block, and three.
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), filtered);
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), Ok(Ok(())));
}
