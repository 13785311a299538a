//! Who gets a seat (R2.3, R22.3, R22.4). Pure.
//!
//! Where there are more contenders than seats, seats are drawn by lot, each with a
//! chance in proportion to its weight among those left: all get their turn, the
//! better ones more often.
//!
//! Lots fall on all who stood when the draw was announced, with the weights of then. L1
//! shows its block before L2 applies it, and whoever could change a lot in between could
//! choose among draws: by resigning, or by a link that it kept back. So who does not stand
//! any more, or whose entity has its seats, is passed over, and nobody else's lot changes.

use crate::candidates::{Contender, Standing};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::Score,
};
use codec::Encode;
use sp_io::hashing::sha2_256;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// No entity weighs more than one of so many equal shares of all.
const MOST_SHARES: usize = 5;

/// Weight in the draw and in the ranking of leaders: score × ⌈√coins⌉ (spec:
/// cascoin-l1.md 6.5), so that a hundred times the stake weighs ten times as much.
pub fn weight(score: Score, stake: Balance, decimals: u8) -> u64 {
    let coins = stake / 10u128.saturating_pow(decimals.into());
    let root = coins.isqrt();
    let root = if root.saturating_mul(root) < coins { root.saturating_add(1) } else { root };
    u64::try_from(root).unwrap_or(u64::MAX).saturating_mul(score.get().into())
}

/// The most that any of these may weigh, so that each has at most a fifth of all that is
/// left, or 1/n where only n < 5 weigh anything: no more can keep below that. Then all are
/// as light as the lightest. So the cap does not end where two of five become one.
fn bound(weights: impl IntoIterator<Item = u128>) -> u128 {
    let mut largest_first: Vec<u128> = weights.into_iter().filter(|weight| *weight > 0).collect();
    largest_first.sort_unstable_by(|a, b| b.cmp(a));
    let shares = largest_first.len().min(MOST_SHARES) as u128;
    let mut rest = largest_first.iter().fold(0u128, |sum, weight| sum.saturating_add(*weight));
    // Of k shares, with `cut` of them cut to b, b is one: b = (rest + cut · b) / k. So
    // k − 1 cut ones leave one share for the others, and there are never k.
    for (weight, share) in largest_first.into_iter().zip((1..=shares).rev()) {
        let bound = rest / share;
        if weight <= bound {
            return bound;
        }
        rest = rest.saturating_sub(weight);
    }
    rest
}

/// Cuts weights off so that none is more than a fifth of all that are left, or 1/n of n < 5
/// that weigh anything: who has more gains nothing by it (R22.3).
pub fn cap(weights: &mut [u64]) {
    let bound = bound(weights.iter().map(|weight| u128::from(*weight)));
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    weights.iter_mut().for_each(|weight| *weight = (*weight).min(bound));
}

/// What the accounts of one entity weigh together.
#[derive(Default)]
struct Together {
    weight: u128,
    /// How many of them weigh anything.
    accounts: u128,
}

/// By entity, in units of which so many are one.
fn together(weights: &[(AccountId, u64)], units: u128) -> BTreeMap<AccountId, Together> {
    let mut entities: BTreeMap<AccountId, Together> = BTreeMap::new();
    for (entity, weight) in weights {
        let all = entities.entry(entity.clone()).or_default();
        all.weight = all.weight.saturating_add(u128::from(*weight).saturating_mul(units));
        all.accounts = all.accounts.saturating_add((*weight > 0).into());
    }
    entities
}

fn bound_of(entities: &BTreeMap<AccountId, Together>) -> u128 {
    bound(entities.values().map(|all| all.weight))
}

/// Cuts entities off, in units of which so many are one.
fn cut(weights: &mut [(AccountId, u64)], units: u128) {
    let entities = together(weights, units);
    let bound = bound_of(&entities);
    for (entity, weight) in weights {
        let had = u128::from(*weight).saturating_mul(units);
        let keeps = match entities.get(entity) {
            Some(Together { weight: all, accounts }) if *all > bound && had > 0 => {
                // One for each account, and of the rest what is its part of theirs.
                let (all, rest) = (all.saturating_sub(*accounts), bound.saturating_sub(*accounts));
                let part = had.saturating_sub(1);
                let part = multiply_by_rational_with_rounding(part, rest, all, Rounding::Down);
                part.unwrap_or(0).saturating_add(1)
            }
            _ => had,
        };
        *weight = u64::try_from(keeps).unwrap_or(u64::MAX);
    }
}

/// As [`cap`], of all that each entity has together: what it has too much goes from all of
/// its own in proportion, rounded down, so who shares its stake out among several accounts
/// gains nothing by it (R22.3). Whoever weighs anything keeps one at least: else the smaller
/// ones of an entity would never lead. So where accounts of one entity are more than it may
/// weigh, they weigh one each; contenders weigh far more than they are many.
pub fn cap_entities(weights: &mut [(AccountId, u64)]) {
    cut(weights, 1);
}

/// As [`cap_entities`], of a set, in which weights only count in proportion to each other.
/// Where the accounts of an entity are more than it may weigh, as where all members weigh
/// one, all are weighed more finely first, so that it has no more than its share.
pub fn cap_set(weights: &mut [(AccountId, u64)]) {
    let entities = together(weights, 1);
    let bound = bound_of(&entities);
    let too_coarse = |all: &Together| all.weight > bound && all.accounts > bound;
    // The bound is not below the lightest that weighs anything, so it is enough for all then.
    let units = if entities.values().any(too_coarse) { weights.len() as u128 } else { 1 };
    cut(weights, units);
}

/// Seats that one entity may have in a set of `size`: one in five, and one at least.
pub fn seats_per_entity(size: usize) -> usize {
    (size / 5).max(1)
}

/// Who stands, with its weight, by account.
pub fn weigh(mut contenders: Vec<Contender>, decimals: u8) -> Vec<Standing> {
    contenders.sort_by(|a, b| a.account.cmp(&b.account));
    contenders.dedup_by(|a, b| a.account == b.account);
    let mut weights: Vec<(AccountId, u64)> = contenders
        .iter()
        .map(|one| (one.entity.clone(), weight(one.score, one.stake, decimals)))
        .collect();
    cap_entities(&mut weights);
    let accounts = contenders.into_iter().map(|one| one.account);
    let weighed = accounts.zip(weights);
    weighed.map(|(account, (entity, weight))| Standing { account, entity, weight }).collect()
}

/// All who stand, in the order in which lots fall on them. It takes as many lots.
pub fn order(seed: &[u8; 32], standing: &[Standing]) -> Vec<Standing> {
    let mut left: Vec<&Standing> = standing.iter().collect();
    // So that their order is nobody's choice.
    left.sort_by(|a, b| a.account.cmp(&b.account));
    let mut order = Vec::with_capacity(left.len());
    for lots in (0u32..).take(left.len()) {
        order.push(left.remove(pick(seed, lots, &left)).clone());
    }
    order
}

/// Fills up to `seats` seats with those of an order, who come with their entities of now;
/// returns the elected with their weights, best first. Passed over is whose entity has its
/// seats, be it that of now or that of when the draw was announced: so nothing that joins
/// or parts accounts in between can give anybody a seat.
/// `taken` are the entities of the seats that are taken already.
pub fn elect(
    order: &[(AccountId, Standing)],
    seats: usize,
    taken: &[AccountId],
) -> Vec<(AccountId, u64)> {
    // What one entity may have depends on how large the set becomes.
    let mut size = seats.saturating_add(taken.len());
    loop {
        let elected = fill(order, seats, taken, seats_per_entity(size));
        let becomes = taken.len().saturating_add(elected.len());
        if seats_per_entity(becomes) >= seats_per_entity(size) {
            return elected;
        }
        size = becomes;
    }
}

fn fill(
    order: &[(AccountId, Standing)],
    seats: usize,
    taken: &[AccountId],
    per_entity: usize,
) -> Vec<(AccountId, u64)> {
    let mut by_entity: BTreeMap<&AccountId, usize> = BTreeMap::new();
    for entity in taken {
        let count = by_entity.entry(entity).or_default();
        *count = count.saturating_add(1);
    }
    let mut elected = Vec::new();
    for (entity, Standing { account, entity: before, weight }) in order {
        if elected.len() >= seats {
            break;
        }
        let entities = BTreeSet::from([entity, before]);
        let has_its_seats =
            |entity: &&AccountId| by_entity.get(entity).is_some_and(|count| *count >= per_entity);
        if entities.iter().any(has_its_seats) {
            continue;
        }
        for entity in entities {
            let count = by_entity.entry(entity).or_default();
            *count = count.saturating_add(1);
        }
        elected.push((account.clone(), *weight));
    }
    elected.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    elected
}

/// The place that a lot falls on; `left` is not empty.
fn pick(seed: &[u8; 32], lots: u32, left: &[&Standing]) -> usize {
    let [a, b, ..] = hash_words(seed, lots);
    let lot = (u128::from(a) << 64) | u128::from(b);
    let total = left.iter().map(|one| u128::from(one.weight)).sum::<u128>();
    let Some(mut lot) = lot.checked_rem(total) else {
        // Nobody weighs anything: all are alike.
        return usize::try_from(lot.checked_rem(left.len() as u128).unwrap_or(0)).unwrap_or(0);
    };
    for (place, one) in left.iter().enumerate() {
        let weight = u128::from(one.weight);
        if lot < weight {
            return place;
        }
        lot = lot.saturating_sub(weight);
    }
    0
}

fn hash_words(seed: &[u8; 32], lots: u32) -> [u64; 4] {
    let hash = sha2_256(&(b"CASL2ELEC1", seed, lots).encode());
    let mut words = [0u64; 4];
    for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(8)) {
        *word = bytes.try_into().map_or(0, u64::from_le_bytes);
    }
    words
}
