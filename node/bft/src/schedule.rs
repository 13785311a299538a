//! Who leads which round: the reputation-weighted ranking of a term and the order of one height.
//!
//! Everything here is a pure function of agreed data (the genesis, the term, an L1 block hash, the
//! runtime's weights, the parent's author and the barred keys), in integers, so all nodes compute
//! the same order. Never feed it the round of a certificate: nodes may hold valid certificates of
//! different rounds for one block.
//!
//! A term keeps its leader: the author of the parent leads round 0 of the next height (also when it
//! became the author by fail-over), so that a dead leader costs one time-out and not one a block.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::types::{Height, Round, SequencerIndex};

/// Domain of the seed of a term's ranking.
const RANKING_DOMAIN: &[u8] = b"CASL2LEAD1";

/// Why a list is no leader order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Nobody to lead.
    #[error("the leader order is empty")]
    Empty,
    /// One sequencer stands twice in the list.
    #[error("sequencer {} is listed twice", index.0)]
    Duplicate {
        /// The sequencer listed twice.
        index: SequencerIndex,
    },
}

/// Who leads round 0, 1, 2 … of one height; after the last the order starts again.
///
/// Never empty and free of duplicates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LeaderOrder(Vec<SequencerIndex>);

impl LeaderOrder {
    /// Takes an order of at least one sequencer, each at most once.
    pub fn new(order: Vec<SequencerIndex>) -> Result<Self, ScheduleError> {
        if order.is_empty() {
            return Err(ScheduleError::Empty);
        }
        let mut seen = BTreeSet::new();
        match order.iter().find(|index| !seen.insert(**index)) {
            Some(index) => Err(ScheduleError::Duplicate { index: *index }),
            None => Ok(Self(order)),
        }
    }

    /// The leader of `round`: entry `round mod len`.
    pub fn leader(&self, round: Round) -> SequencerIndex {
        // `new` refuses the empty list, so neither the remainder nor the index can fail.
        self.0[usize::from(round.0) % self.0.len()]
    }

    /// The order from round zero on.
    pub fn as_slice(&self) -> &[SequencerIndex] {
        &self.0
    }
}

/// Term of a height: `(h − 1) / blocks_per_leader`.
///
/// Height 0 (the genesis block) counts to term 0, and zero blocks per leader as one.
pub fn term(height: Height, blocks_per_leader: u32) -> u32 {
    height.0.saturating_sub(1) / blocks_per_leader.max(1)
}

/// Seed of a term's ranking: `SHA-256("CASL2LEAD1" ‖ genesis ‖ term u32 LE ‖ l1_hash)`.
pub fn ranking_seed(genesis: &[u8; 32], term: u32, l1_hash: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(RANKING_DOMAIN);
    hasher.update(genesis);
    hasher.update(term.to_le_bytes());
    hasher.update(l1_hash);
    hasher.finalize().into()
}

/// Ranks all sequencers of a term: draws without replacement, each draw in proportion to weight.
///
/// Draw `k` takes `x`, the first 16 bytes (little-endian) of `SHA-256(seed ‖ k as u32 LE)`, and
/// the ticket `⌊x · total / 2¹²⁸⌋`, where `total` is the sum of the weights still to be ranked; the
/// ticket's owner in ascending index order is ranked next. This multiply-shift gives each ticket
/// `⌊2¹²⁸ / total⌋` or one more of the 2¹²⁸ values of `x`: a relative bias of at most
/// `total / 2¹²⁸`, below 2⁻⁵⁸ for 64 sequencers of any weight.
///
/// Zero weights are ranked after all others; among themselves they are drawn as equals, so that a
/// set without any reputation yet gets a random order and not the order of indices. Sequencers
/// beyond the range of [`SequencerIndex`] are not ranked.
pub fn ranking(seed: &[u8; 32], weights: &[u64]) -> Vec<SequencerIndex> {
    let indexed = || {
        weights.iter().enumerate().filter_map(|(index, weight)| {
            Some((SequencerIndex(u16::try_from(index).ok()?), *weight))
        })
    };
    let weighted = indexed().filter(|(_, weight)| *weight > 0).collect::<Vec<_>>();
    let weightless = indexed().filter(|(_, weight)| *weight == 0).map(|(index, _)| (index, 1));

    let mut ranked = Vec::with_capacity(weights.len());
    let mut draw = 0u32;
    for mut remaining in [weighted, weightless.collect()] {
        while let Some(position) = drawn_position(seed, draw, &remaining) {
            ranked.push(remaining.remove(position).0);
            draw = draw.saturating_add(1);
        }
    }
    ranked
}

/// Position in `remaining` of the owner of the ticket of draw number `draw`; `None` if nobody is
/// left.
fn drawn_position(
    seed: &[u8; 32],
    draw: u32,
    remaining: &[(SequencerIndex, u64)],
) -> Option<usize> {
    // At most 2¹⁶ weights below 2⁶⁴: the sum stays below 2⁸⁰.
    let total = remaining.iter().fold(0u128, |sum, (_, w)| sum.saturating_add(u128::from(*w)));
    let mut ticket = multiply_shift(random(seed, draw), total);
    for (position, (_, weight)) in remaining.iter().enumerate() {
        match ticket.checked_sub(u128::from(*weight)) {
            Some(rest) => ticket = rest,
            None => return Some(position),
        }
    }
    None
}

/// The 128 random bits of one draw.
fn random(seed: &[u8; 32], draw: u32) -> u128 {
    let digest = Sha256::new().chain_update(seed).chain_update(draw.to_le_bytes()).finalize();
    digest.iter().take(16).rev().fold(0u128, |value, byte| (value << 8) | u128::from(*byte))
}

/// `⌊a · b / 2¹²⁸⌋`, by schoolbook multiplication in 64-bit halves.
fn multiply_shift(a: u128, b: u128) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low) = (a >> 64, a & LOW);
    let (b_high, b_low) = (b >> 64, b & LOW);
    let (cross_a, cross_b) = (a_high * b_low, a_low * b_high);
    // Three terms below 2⁶⁴: no overflow; nor below, where the true result is below 2¹²⁸.
    let middle = ((a_low * b_low) >> 64) + (cross_a & LOW) + (cross_b & LOW);
    a_high * b_high + (cross_a >> 64) + (cross_b >> 64) + (middle >> 64)
}

/// Order of one height.
///
/// `author_of_parent` leads round 0 (sticky leader) and later rounds take the next in `ranking`
/// after it, cyclically. Without it (`None`: the parent is of another term; or it is not in the
/// ranking) the order is the ranking from its start. `barred` sequencers are skipped, unless that
/// would leave nobody.
pub fn leader_order(
    ranking: &[SequencerIndex],
    author_of_parent: Option<SequencerIndex>,
    barred: &BTreeSet<SequencerIndex>,
) -> Result<LeaderOrder, ScheduleError> {
    let first = author_of_parent
        .and_then(|author| ranking.iter().position(|index| *index == author))
        .unwrap_or(0);
    let order = ranking.iter().cycle().skip(first).take(ranking.len()).copied();
    let allowed = order.clone().filter(|index| !barred.contains(index)).collect::<Vec<_>>();
    LeaderOrder::new(if allowed.is_empty() { order.collect() } else { allowed })
}

#[cfg(test)]
mod tests {
    use super::multiply_shift;

    #[test]
    fn multiply_shift_at_its_limits() {
        assert_eq!(multiply_shift(u128::MAX, u128::MAX), u128::MAX - 1);
        assert_eq!(multiply_shift(u128::MAX, 1), 0);
        assert_eq!(multiply_shift(1 << 127, 7), 3);
        assert_eq!(multiply_shift(u128::MAX, 1 << 80), (1 << 80) - 1);
        assert_eq!(multiply_shift(0, u128::MAX), 0);
    }
}
