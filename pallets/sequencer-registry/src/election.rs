//! Who gets a seat (R2.3, R22.3, R22.4). Pure.
//!
//! Where there are more contenders than seats, seats are drawn by lot, each with a
//! chance in proportion to its weight among those left: all get their turn, the
//! better ones more often. The seed is one that nobody could foresee when the stakes
//! were set, and all nodes share.

use alloc::{collections::BTreeMap, vec::Vec};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::Score,
};
use codec::Encode;
use sp_core::hashing::sha2_256;

/// From so many contenders on, none weighs more than a fifth of all stake.
const CAP_FROM: usize = 5;
/// The fifth.
const CAP_DIVISOR: Balance = 5;

/// Somebody who could be elected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Its account.
    pub account: AccountId,
    /// Whose seats it takes.
    pub entity: AccountId,
    /// Its reputation.
    pub score: Score,
    /// Its stake, base units.
    pub stake: Balance,
}

/// Weight in the draw and in the ranking of leaders: score × ⌈√coins⌉ (spec:
/// cascoin-l1.md 6.5), so that a hundred times the stake weighs ten times as much.
pub fn weight(score: Score, stake: Balance, decimals: u8) -> u64 {
    let coins = stake / 10u128.saturating_pow(decimals.into());
    let root = coins.isqrt();
    let root = if root.saturating_mul(root) < coins { root.saturating_add(1) } else { root };
    u64::try_from(root).unwrap_or(u64::MAX).saturating_mul(score.get().into())
}

/// Seats that one entity may have in a set of `seats`: one in five, and one at least.
pub fn seats_per_entity(seats: usize) -> usize {
    (seats / 5).max(1)
}

/// Fills up to `seats` seats; returns the elected with their weights, best first.
/// `taken` are the entities that have seats already.
pub fn elect(
    seed: &[u8; 32],
    mut contenders: Vec<Contender>,
    seats: usize,
    taken: &[AccountId],
    decimals: u8,
) -> Vec<(AccountId, u64)> {
    contenders.sort_by(|a, b| a.account.cmp(&b.account));
    contenders.dedup_by(|a, b| a.account == b.account);
    let most = largest_stake(&contenders);
    let mut left: Vec<(Contender, u64)> = contenders
        .into_iter()
        .map(|contender| {
            let weight = weight(contender.score, contender.stake.min(most), decimals);
            (contender, weight)
        })
        .collect();
    let per_entity = seats_per_entity(seats.saturating_add(taken.len()));
    let mut by_entity: BTreeMap<AccountId, usize> = BTreeMap::new();
    for entity in taken {
        let count = by_entity.entry(entity.clone()).or_default();
        *count = count.saturating_add(1);
    }
    let mut elected = Vec::new();
    let mut draw = 0u32;
    while elected.len() < seats && !left.is_empty() {
        let (contender, weight) = left.swap_remove(pick(seed, draw, &left));
        // `swap_remove` moves one: by account again, so that the order is nobody's.
        left.sort_by(|(a, _), (b, _)| a.account.cmp(&b.account));
        draw = draw.saturating_add(1);
        let count = by_entity.entry(contender.entity).or_default();
        if *count < per_entity {
            *count = count.saturating_add(1);
            elected.push((contender.account, weight));
        }
    }
    elected.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    elected
}

/// The most that counts of one stake.
fn largest_stake(contenders: &[Contender]) -> Balance {
    if contenders.len() < CAP_FROM {
        return Balance::MAX;
    }
    let all = contenders.iter().map(|contender| contender.stake);
    all.fold(0, Balance::saturating_add) / CAP_DIVISOR
}

/// The place that the `draw`-th lot falls on; `left` is not empty.
fn pick(seed: &[u8; 32], draw: u32, left: &[(Contender, u64)]) -> usize {
    let [a, b, ..] = hash_words(seed, draw);
    let lot = (u128::from(a) << 64) | u128::from(b);
    let total = left.iter().map(|(_, weight)| u128::from(*weight)).sum::<u128>();
    let Some(mut lot) = lot.checked_rem(total) else {
        // Nobody weighs anything: all are alike.
        return usize::try_from(lot.checked_rem(left.len() as u128).unwrap_or(0)).unwrap_or(0);
    };
    for (place, (_, weight)) in left.iter().enumerate() {
        let weight = u128::from(*weight);
        if lot < weight {
            return place;
        }
        lot = lot.saturating_sub(weight);
    }
    0
}

fn hash_words(seed: &[u8; 32], draw: u32) -> [u64; 4] {
    let hash = sha2_256(&(b"CASL2ELEC1", seed, draw).encode());
    let mut words = [0u64; 4];
    for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(8)) {
        *word = bytes.try_into().map_or(0, u64::from_le_bytes);
    }
    words
}
