//! How much of a recovery a leader brings.
//!
//! Whoever executes a block with a step of a recovery needs more time than for any other, and
//! how much is only estimated. If a height goes into another round, the step may be why: then
//! the next leader brings less of it, and those after it nothing. So machines that are slower
//! than was thought make a recovery slow, and do not stop the chain.

use cascoin_bft::Round;
use cascoin_l2_primitives::{
    chain::OpaqueBlock,
    recovery::{RecoveryStep, Wanted},
};
use codec::Encode;
use sp_runtime::traits::Block as _;

/// What is brought in this round of what is wanted. In the first all, in the second half of a
/// page, and nothing from the third on.
pub fn in_round(wanted: Wanted, round: Round) -> Option<Wanted> {
    match (round, wanted) {
        (Round(0), wanted) => Some(wanted),
        (Round(1), Wanted::Page { hash, prefix, after, max_keys, max_bytes }) => {
            // A page without an entry would be none.
            let max_keys = (max_keys / 2).max(1);
            Some(Wanted::Page { hash, prefix, after, max_keys, max_bytes })
        }
        (Round(1), wanted) => Some(wanted),
        _ => None,
    }
}

/// Whether a block has this step.
///
/// A proposer leaves out an inherent that traps or has no room, and says nothing but a line in
/// the log.
pub fn is_in(block: &OpaqueBlock, step: &RecoveryStep) -> bool {
    let step = step.encode();
    // In front of it stand the version and which call it is; what that is, is the runtime's.
    block.extrinsics().iter().any(|extrinsic| extrinsic.inner().ends_with(&step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::BlockHash;

    fn page(max_keys: u32) -> Wanted {
        let hash = BlockHash::repeat_byte(1);
        Wanted::Page { hash, prefix: vec![2], after: Some(vec![2, 3]), max_keys, max_bytes: 4 }
    }

    #[test]
    fn p20_a_step_that_takes_too_long_becomes_smaller_and_then_none() {
        assert_eq!(in_round(page(2_000), Round(0)), Some(page(2_000)));
        assert_eq!(in_round(page(2_000), Round(1)), Some(page(1_000)));
        assert_eq!(in_round(page(1), Round(1)), Some(page(1)));
        let block = Wanted::Block { number: 5, hash: BlockHash::repeat_byte(1) };
        assert_eq!(in_round(block.clone(), Round(0)), Some(block.clone()));
        assert_eq!(in_round(block.clone(), Round(1)), Some(block.clone()));
        for late in [2, 3, 1_000] {
            assert_eq!(in_round(page(2_000), Round(late)), None);
            assert_eq!(in_round(block.clone(), Round(late)), None);
        }
    }
}
