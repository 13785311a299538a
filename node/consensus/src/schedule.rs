//! Who sequences and who leads at one height, read from the chain.

use crate::{authority_sets::scheduled_change, wire::Instance, EngineClient};
use cascoin_bft::{
    leader_order, ranking, ranking_seed, term, Height, LeaderOrder, Round, SequencerIndex,
};
use cascoin_l2_primitives::{
    apis::{ChainApi, HandOverApi, SequencerApi, TimeApi},
    chain::{BlockHash, ChainParameters, Header, SequencerSet},
    consensus::LeaderDigest,
    hand_over::{HandOver, HandOverError},
    sequencers::SequencerBits,
    time::TimeBounds,
};
use sp_api::{ApiError, Core as _};
use sp_runtime::{traits::Header as _, StateVersion};
use std::{collections::BTreeSet, sync::Arc};

/// Everything about a height that is settled before it begins.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The height.
    pub height: Height,
    /// The block it stands on.
    pub parent: Header,
    /// The sequencers.
    pub set: SequencerSet,
    /// The chain's parameters.
    pub parameters: ChainParameters,
    /// The term the height is in.
    pub term: u32,
    /// The term's ranking, best first.
    pub ranking: Vec<SequencerIndex>,
    /// Who leads which round.
    pub leaders: LeaderOrder,
    /// The times that its block may have.
    pub time_bounds: TimeBounds,
    /// How the height's extrinsics root is computed.
    pub body_version: StateVersion,
    /// The hand-over that puts its set into force, if the height is the first one behind one.
    pub hand_over: Option<Arc<HandOver>>,
}

/// Why a height cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The runtime could not be asked.
    #[error("runtime: {0}")]
    Runtime(#[from] ApiError),
    /// Nobody may sequence.
    #[error("the chain has no sequencers: {0}")]
    Empty(#[from] cascoin_bft::ScheduleError),
    /// More blocks than a height can number.
    #[error("the chain is at its last height")]
    LastHeight,
    /// The state does not take the hand-over. It did when that came into force.
    #[error("the state does not take the hand-over that is in force: {0:?}")]
    HandOver(HandOverError),
}

impl Schedule {
    /// The schedule of the height on top of `parent`, from the state behind it.
    /// `hand_over`: the one in force behind `parent`
    /// ([`HandOvers::on`](crate::hand_over::HandOvers::on)). All nodes with that state and that
    /// hand-over come to the same schedule.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn after<C: EngineClient>(
        client: &C,
        genesis: BlockHash,
        hand_over: Option<Arc<HandOver>>,
        parent: Header,
    ) -> Result<Self, ScheduleError> {
        let hash = parent.hash();
        let api = client.runtime_api();
        let parameters = api.chain_parameters(hash)?;
        let set = match &hand_over {
            Some(hand_over) => {
                let set = api.hand_over_set(hash, (**hand_over).clone())?;
                set.map_err(ScheduleError::HandOver)?
            }
            None => api.sequencer_set(hash)?,
        };
        let time_bounds = api.time_bounds(hash)?;
        let body_version = api.version(hash)?.extrinsics_root_state_version();
        let height = Height(parent.number().checked_add(1).ok_or(ScheduleError::LastHeight)?);
        let term = term(height, parameters.blocks_per_leader);
        let l1_hash = api.ranking_l1_hash(hash, term)?;
        // Before any L1 block is applied the genesis hash takes its place.
        let randomness = if l1_hash == Default::default() { genesis.0 } else { l1_hash.0 };
        let weights: Vec<u64> = set.members.iter().map(|member| member.weight).collect();
        let ranking = ranking(&ranking_seed(&genesis.0, term, &randomness), &weights);
        let barred = barred(&set);
        // Who led under the old set has no place in the new one.
        let sticky = sticky_leader(&parent, term).filter(|_| hand_over.is_none());
        let leaders = leader_order(&ranking, sticky, &barred)?;
        Ok(Self {
            height,
            parent,
            set,
            parameters,
            term,
            ranking,
            leaders,
            time_bounds,
            body_version,
            hand_over,
        })
    }

    /// Its height and set.
    pub fn instance(&self) -> Instance {
        Instance { height: self.height, set_id: self.set.set_id }
    }

    /// Who led the rounds before `round`, which failed.
    pub fn failed_leaders(&self, round: Round) -> SequencerBits {
        let order = self.leaders.as_slice();
        order.iter().take(round.0.into()).map(|leader| leader.0).collect()
    }
}

/// Who leads nothing.
fn barred(set: &SequencerSet) -> BTreeSet<SequencerIndex> {
    let numbered = set.members.iter().zip(0u16..);
    numbered.filter(|(one, _)| one.barred).map(|(_, index)| SequencerIndex(index)).collect()
}

/// The author of the parent, if the parent is of the same term and set: it stays
/// leader. Taken from the agreed header, never from a certificate's round, which
/// may differ between nodes.
fn sticky_leader(parent: &Header, term: u32) -> Option<SequencerIndex> {
    let changes_set = scheduled_change(parent).is_some();
    let digest = LeaderDigest::find(parent.digest().logs())?;
    (!changes_set && digest.term == term).then_some(SequencerIndex(digest.leader))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::SequencerInfo;
    use sp_core::{ecdsa, ed25519};

    /// R30.4, R30.5: a leader that is barred in the middle of its term leads no further
    /// block of it, and the next in the ranking does.
    #[test]
    fn r30_5_who_is_barred_leads_nothing_from_the_next_block_on() {
        let member = |index: u8| SequencerInfo {
            account: [index; 32].into(),
            aura: ed25519::Public::from_raw([index; 32]),
            grandpa: ed25519::Public::from_raw([index; 32]),
            relay: ed25519::Public::from_raw([index; 32]),
            vault: ecdsa::Public::from_raw([index; 33]),
            weight: 1,
            barred: index == 2,
        };
        let set = SequencerSet { set_id: 0, members: (0..4).map(member).collect() };
        let barred = barred(&set);
        assert_eq!(barred, BTreeSet::from([SequencerIndex(2)]));
        let ranking = [3, 2, 0, 1].map(SequencerIndex);
        let order = leader_order(&ranking, Some(SequencerIndex(2)), &barred).expect("three lead");
        assert_eq!(order.as_slice(), [0, 1, 3].map(SequencerIndex));
    }
}
