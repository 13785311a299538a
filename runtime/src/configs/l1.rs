//! The chain's parameters, the L1 relay and what acts on its events.

use crate::{
    Balances, BurnMint, ChainParameters, ForcedInclusion, L1Relay, L2Registry, Messages, Recovery,
    RecoveryPoint, Reputation, Runtime, SequencerRegistry, Stake, Timestamp,
};
use cascoin_l2_primitives::{
    chain::Balance,
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
};
use frame_support::{traits::Get, weights::Weight};

impl pallet_chain_parameters::Config for Runtime {
    type WeightInfo = crate::weights::pallet_chain_parameters::WeightInfo<Runtime>;
}

impl pallet_l1_relay::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Parameters = ChainParameters;
    type Time = Timestamp;
    type OnEvent = L1Events;
    type OnApplied = ();
    type OnFork = L1Forks;
    type OnOffence = super::offences::Punishments;
    type Unjudged = VotesUnjudged;
    type WeightInfo = crate::weights::pallet_l1_relay::WeightInfo<Runtime>;
}

/// Whether nobody is judged by its relay votes: in an emergency, and while a recovery runs or
/// has left offences to punish. Then seats and stakes are not what they will be.
pub struct VotesUnjudged;

impl Get<bool> for VotesUnjudged {
    fn get() -> bool {
        super::liveness::Emergency::get() || super::recovery::users_wait()
    }
}

/// Each kind of event has one pallet that acts on it. Reputation also notes who signed what
/// keys sign. Of each, whatever it is, it is noted beforehand that its L1 block has an effect.
///
/// After a recovery L1 is delivered again, to those whose state went back. Whoever's did not
/// has heard the same block already: a revocation that is heard twice would revoke the keys
/// that were set since.
pub struct L1Events;

impl OnL1Event for L1Events {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        RecoveryPoint::on_event(event, block);
        let is_new = !was_delivered(block);
        match event {
            L1Event::Burn { .. } | L1Event::VaultDeposit { .. } => BurnMint::on_event(event, block),
            L1Event::Trust(_) => {
                if is_new {
                    Reputation::on_event(event, block);
                }
            }
            L1Event::KeyRevocation { .. } => {
                if is_new {
                    SequencerRegistry::on_event(event, block);
                    Reputation::on_event(event, block);
                }
            }
            L1Event::Stake { .. } => Stake::on_event(event, block),
            L1Event::Message { .. } => {
                Messages::on_event(event, block);
                if is_new {
                    Reputation::on_event(event, block);
                }
            }
            L1Event::ForcedTransaction { .. } => ForcedInclusion::on_event(event, block),
            L1Event::ChainRegistration { .. } => L2Registry::on_event(event, block),
        }
    }

    // So the heaviest of them is the most.
    fn max_event_weight() -> Weight {
        BurnMint::max_event_weight()
            .max(Reputation::max_event_weight())
            .max(Stake::max_event_weight())
            .max(
                SequencerRegistry::max_event_weight()
                    .max(Messages::max_event_weight())
                    .saturating_add(Reputation::max_act_weight()),
            )
            .max(ForcedInclusion::max_event_weight())
            .max(L2Registry::max_event_weight())
            .saturating_add(RecoveryPoint::max_event_weight())
            // Whether a recovery has it delivered again.
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads(2))
    }
}

/// Whether the events of this very block were delivered before the recovery that runs. Hashes
/// of removed blocks stay until the branch overwrites them, when all of a block's events are
/// delivered: so a block of another branch, if L1 forks once more meanwhile, is new.
fn was_delivered(block: &L1BlockContext) -> bool {
    Recovery::redelivers(block.height)
        && pallet_l1_relay::AppliedHashes::<Runtime>::get(block.height) == Some(block.hash)
}

/// What L1 may have dropped: burns, and coins locked as stake. What was said stands; whether
/// a message stands is asked when it has its turn.
pub struct L1Forks;

impl OnL1Fork for L1Forks {
    fn on_fork(common: &L1BlockContext) {
        BurnMint::on_fork(common);
        Stake::on_fork(common);
        RecoveryPoint::on_fork(common);
    }

    fn on_recovered() {
        BurnMint::on_recovered();
        Stake::on_recovered();
        RecoveryPoint::on_recovered();
    }

    fn max_fork_weight() -> Weight {
        BurnMint::max_fork_weight()
            .saturating_add(Stake::max_fork_weight())
            .saturating_add(RecoveryPoint::max_fork_weight())
    }
}

/// Whether L1 reorganised below what the relay attested, as the quorum sees it, and the
/// relay is not yet beyond all that was replaced.
pub struct L1Disputed;

impl Get<bool> for L1Disputed {
    fn get() -> bool {
        pallet_l1_relay::Mismatch::<Runtime>::exists() || L1Relay::is_recovering()
    }
}

/// The vault's script. There is none before anchors move the vault's coins, so nothing can
/// be deposited, and every deposit is rejected with that reason.
pub struct NoVault;

impl Get<Option<[u8; 32]>> for NoVault {
    fn get() -> Option<[u8; 32]> {
        None
    }
}

impl pallet_burn_mint::Config for Runtime {
    type Currency = Balances;
    type Parameters = ChainParameters;
    type Sequencers = SequencerRegistry;
    type L1Disputed = L1Disputed;
    type Emergency = super::liveness::Emergency;
    type L1Blocks = L1Relay;
    type VaultScript = NoVault;
    type Time = Timestamp;
    type WeightInfo = crate::weights::pallet_burn_mint::WeightInfo<Runtime>;
}

/// Whether it is open which burns of dropped L1 blocks come again: the relay has not caught
/// up, or not all of them are judged.
pub struct BurnsUnsettled;

impl Get<bool> for BurnsUnsettled {
    fn get() -> bool {
        L1Relay::is_recovering() || pallet_burn_mint::Sweep::<Runtime>::exists()
    }
}

/// Minted for burns that L1 dropped, and not there to be taken back.
pub struct Unbacked;

impl Get<Balance> for Unbacked {
    fn get() -> Balance {
        pallet_burn_mint::Deficit::<Runtime>::get()
    }
}

impl pallet_recovery_point::Config for Runtime {
    type Unsettled = BurnsUnsettled;
    type Deficit = Unbacked;
    type WeightInfo = crate::weights::pallet_recovery_point::WeightInfo<Runtime>;
}
