//! What sequencers do wrong, and how it is proven.

use super::{
    consensus::{BlockAuthor, SessionBlocks, VotingKeys},
    recovery::{SessionRewards, StakeOffences},
};
use crate::{
    AccountId, BlockNumber, ChainParameters, HandOver, Recovery, Reputation, Rewards, Runtime,
    SequencerRegistry, System,
};
use cascoin_l2_primitives::sequencers::OnLowLiveness;
use frame_support::{
    parameter_types,
    traits::{ConstU16, Get},
    weights::Weight,
};

/// What every offence leads to. Stake's part is noted besides, for a recovery.
pub(super) type Punishments = ((Reputation, StakeOffences), (SequencerRegistry, Rewards));

/// Share of a session's blocks that a sequencer must have signed, in thousandths.
/// Half: a leader can leave out whom it likes, and liars lead fewer blocks than that.
const MIN_UPTIME_PERMILLE: u16 = 500;

impl pallet_equivocation::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type VotingKeys = VotingKeys;
    // What a sequencer did can be proven as long as its stake is on hold.
    type KeptBlocks = super::stake::UnbondingBlocks;
    type OnOffence = Punishments;
    type WeightInfo = crate::weights::pallet_equivocation::WeightInfo<Runtime>;
}

parameter_types! {
    pub EpochBlocks: BlockNumber = epoch_blocks();
}

/// An epoch; 0 on a chain without parameters, as FRAME builds in tests.
fn epoch_blocks() -> BlockNumber {
    let parameters = ChainParameters::get();
    parameters.session_blocks.saturating_mul(parameters.epoch_sessions)
}

/// The registry, told whose seats are open because blocks came late. While the state is half
/// restored nobody's is: the stakes that seats are drawn by are partly then's and partly now's,
/// and blocks with pages are slow. Nobody's is for a session in which others took over, either:
/// it counts how late the set was that did nothing.
pub struct WhoLedBadly;

impl OnLowLiveness for WhoLedBadly {
    fn on_low_liveness(failed: &[AccountId]) {
        // A session is judged in the block behind it.
        let handed_over =
            HandOver::was_enacted_within(System::block_number(), SessionBlocks::get());
        if !Recovery::is_frozen() && !handed_over {
            SequencerRegistry::on_low_liveness(failed);
        }
    }

    fn max_low_liveness_weight() -> Weight {
        SequencerRegistry::max_low_liveness_weight()
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads(3))
    }
}

impl pallet_participation::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Author = BlockAuthor;
    type SessionBlocks = SessionBlocks;
    type ReportInterval = EpochBlocks;
    type MinUptime = ConstU16<MIN_UPTIME_PERMILLE>;
    type OnOffence = Punishments;
    type OnLowLiveness = WhoLedBadly;
    type OnCorrelation = SequencerRegistry;
    type OnSessionJudged = SessionRewards;
    type WeightInfo = crate::weights::pallet_participation::WeightInfo<Runtime>;
}
