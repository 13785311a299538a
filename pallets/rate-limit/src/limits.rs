//! The limits as numbers.

use cascoin_l2_primitives::reputation::Score;

/// How often the base limit a score allows (R26.3).
pub const fn factor(score: Score) -> u32 {
    match score.get() {
        0..=49 => 1,
        50..=69 => 2,
        70..=89 => 5,
        _ => 10,
    }
}

/// Transactions that an account of this score may have in a block, where one without
/// reputation may have `rate_limit`.
pub const fn per_block(rate_limit: u32, score: Score) -> u32 {
    rate_limit.saturating_mul(factor(score))
}

/// How much of `normal`, what the runtime's blocks have for users, is left to them on a
/// chain whose whole blocks are limited to `chain` and not to `block`; all in
/// picoseconds.
pub fn share(normal: u64, chain: u64, block: u64) -> u64 {
    let product = u128::from(normal).saturating_mul(chain.min(block).into());
    let share = product.checked_div(block.into()).unwrap_or_default();
    // At most `normal`, since the chain's part of a block is at most all of it.
    u64::try_from(share).unwrap_or(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_3_the_factor_rises_with_the_score() {
        let factors = [(0, 1), (49, 1), (50, 2), (69, 2), (70, 5), (89, 5), (90, 10), (100, 10)];
        for (score, expected) in factors {
            assert_eq!(factor(Score::saturating(score)), expected, "{score}");
        }
        assert_eq!(
            [0, 50, 70, 90].map(|score| per_block(100, Score::saturating(score))),
            [100, 200, 500, 1_000]
        );
        assert_eq!(per_block(u32::MAX, Score::MAX), u32::MAX);
    }

    #[test]
    fn a_chain_with_smaller_blocks_has_as_much_less_for_users() {
        assert_eq!(share(225, 300, 300), 225);
        assert_eq!(share(225, 100, 300), 75);
        assert_eq!(share(225, 0, 300), 0);
        assert_eq!(share(225, u64::MAX, 300), 225, "never more than the runtime's");
        assert_eq!(share(u64::MAX, u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(share(225, 300, 0), 0);
    }
}
