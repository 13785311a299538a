//! Who leads which term, by the consensus core's own ranking.

use crate::rules::Rules;
use cascoin_bft::{ranking, ranking_seed};

/// The places of a set in the order in which they lead `term`, drawn by weight.
///
/// L1's blocks are no part of this; the genesis stands in for their hashes, as on a
/// chain that has applied none yet.
pub fn order(genesis: &[u8; 32], term: u32, weights: &[u64]) -> Vec<usize> {
    let ranked = ranking(&ranking_seed(genesis, term, genesis), weights);
    ranked.into_iter().map(|index| index.0.into()).collect()
}

/// What the sequencers of a set did as leaders of a session, by place.
pub struct Led {
    /// Terms whose blocks each made.
    pub terms: Vec<u32>,
    /// Blocks with room for users that each made.
    pub blocks: Vec<u32>,
    /// Who was to lead and was not there.
    pub in_vain: Vec<bool>,
}

impl Led {
    /// Of the session number `session`; `None` if nobody is there.
    ///
    /// A term is led by the first of its order that is there: who made a block makes the
    /// rest of the term, also where it did so because others failed.
    pub fn session(
        rules: &Rules,
        genesis: &[u8; 32],
        session: u32,
        weights: &[u64],
        away: &[bool],
    ) -> Option<Self> {
        let terms = rules.terms_a_session();
        let nobody = || vec![0; weights.len()];
        let mut led =
            Self { terms: nobody(), blocks: nobody(), in_vain: vec![false; weights.len()] };
        for number in 0..terms {
            let mut order =
                order(genesis, session.saturating_mul(terms) + number, weights).into_iter();
            let leader = order.find(|place| {
                led.in_vain[*place] |= away[*place];
                !away[*place]
            })?;
            led.terms[leader] += 1;
            // The block that ends a session has no room for users.
            let without_room = u32::from(number + 1 == terms);
            led.blocks[leader] += rules.chain.blocks_per_leader - without_room;
        }
        Some(led)
    }
}
