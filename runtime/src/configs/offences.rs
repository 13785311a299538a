//! What sequencers do wrong, and how it is proven.

use super::consensus::VotingKeys;
use crate::{Runtime, SequencerRegistry};

impl pallet_equivocation::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type VotingKeys = VotingKeys;
    // Recorded; the registry will punish.
    type OnOffence = ();
    type WeightInfo = pallet_equivocation::weights::EstimatedWeight<Runtime>;
}
