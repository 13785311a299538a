//! A rehearsal of a recovery (ADR 0033): what users did since a past block is repeated on
//! that block's state, by the rule of `cascoin_l2_primitives::recovery::replay`, and what
//! became of each is told. It runs as a query, so nothing of it stays.
//!
//! It is what the last phase of a recovery would do, as near as a query comes to it: fees
//! and time are those of the past block, and what the chain did by itself (messages from
//! L1, rewards, slashes) is not repeated.

use super::repeat::{pass_over, repeat};
use crate::{AccountId, Balance, Balances, Runtime, System};
use alloc::vec::Vec;
use cascoin_l2_primitives::recovery::{Fall, Ledger, Past, Replay, Verdict};
use frame_support::traits::fungible::Mutate;

/// What would become of the users' transactions of `blocks`, in their order, each as it
/// stands in its block, after `credits`.
pub fn rehearse(
    credits: Vec<(AccountId, Balance)>,
    blocks: &[Vec<Past<Vec<u8>>>],
) -> Vec<Vec<Verdict<Fall>>> {
    for (account, amount) in credits {
        // Refused only where it would overflow.
        let _ = Balances::mint_into(&account, amount);
    }
    let mut verdicts = Vec::new();
    // Blocks without users' transactions need not be there, so places are counted anew.
    let mut replay = Replay::between(0, u32::try_from(blocks.len()).unwrap_or(u32::MAX));
    for block in blocks {
        begin_block();
        let mut told = Vec::new();
        let done = replay.step(&mut Users, block, u32::MAX, |_, _, verdict| told.push(verdict));
        if done.is_err() {
            break;
        }
        verdicts.push(told);
    }
    verdicts
}

// What counts by the block begins anew, as far as users' transactions meet it.
fn begin_block() {
    frame_system::BlockWeight::<Runtime>::kill();
    frame_system::BlockSize::<Runtime>::kill();
    System::reset_events();
}

/// The state, and users' transactions on it.
struct Users;

impl Ledger for Users {
    type Transaction = Vec<u8>;
    type Refusal = Fall;

    fn apply(&mut self, encoded: &Vec<u8>) -> Result<(), Fall> {
        repeat(encoded).map(|_| ())
    }

    fn pass_over(&mut self, encoded: &Vec<u8>) {
        pass_over(encoded);
    }

    fn in_part() -> Fall {
        Fall::PartlyFailed
    }
}
