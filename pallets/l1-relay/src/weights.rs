//! Weights of the relay's calls.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is priced from published figures for one core (ed25519
//! verification in WASM 50 µs as a host call, SHA-256 of 64 KiB 0.5 ms) and
//! rounded up generously. `benchmarking.rs` measures the same calls; its output
//! shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and hooks.
pub trait WeightInfo {
    /// Each block: term record, a changed sequencer set.
    fn on_initialize() -> Weight;
    /// Once per set change, besides.
    fn drop_votes() -> Weight;
    /// Validation of a vote for `blocks` L1 blocks.
    fn authorize_vote(blocks: u32) -> Weight;
    /// A vote that is cast or withdrawn at `heights` heights and attests none.
    fn vote(heights: u32) -> Weight;
    /// Attesting and applying `blocks` L1 blocks, without their events. One that is
    /// only attested, or only applied, counts as a whole one.
    fn settle(blocks: u32) -> Weight;
    /// Validation of a page with `events` events.
    fn authorize_apply_page(events: u32) -> Weight;
    /// A page with `events` events, without what they cause.
    fn apply_page(events: u32) -> Weight;
    /// Validation of a fork vote.
    fn authorize_vote_fork() -> Weight;
    /// The fork vote that completes the quorum: the relay goes back.
    fn vote_fork() -> Weight;
    /// A look at who withholds votes.
    fn look() -> Weight;
    /// Taking those out that are punished, without what that costs each.
    fn punish() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn on_initialize() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 4)
    }

    fn drop_votes() -> Weight {
        Weight::from_parts(200 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(128, 129)
    }

    fn authorize_vote(blocks: u32) -> Weight {
        let blocks = u64::from(blocks);
        Weight::from_parts((120 + 10 * blocks) * MICROSECOND, 0)
            + T::DbWeight::get().reads(9 + blocks)
    }

    fn vote(heights: u32) -> Weight {
        let heights = u64::from(heights);
        Weight::from_parts((100 + 20 * heights) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(9 + heights, 3 + heights)
    }

    fn settle(blocks: u32) -> Weight {
        let blocks = u64::from(blocks);
        Weight::from_parts(30 * blocks * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(3 * blocks, 5 * blocks + 1)
    }

    fn authorize_apply_page(events: u32) -> Weight {
        Weight::from_parts((100 + 10 * u64::from(events)) * MICROSECOND, 0)
            + T::DbWeight::get().reads(5)
    }

    fn apply_page(events: u32) -> Weight {
        Weight::from_parts((100 + 10 * u64::from(events)) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(6, 5)
    }

    // Reads: set, keys, what is attested and applied, the queue, two hashes, the recovery,
    // tips and votes.
    fn authorize_vote_fork() -> Weight {
        Weight::from_parts(150 * MICROSECOND, 0) + T::DbWeight::get().reads(13)
    }

    // Writes: the votes at 64 heights, fork votes, tips, what is attested and applied,
    // the queue, progress, mismatch and recovery.
    fn vote_fork() -> Weight {
        Weight::from_parts(300 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(16, 73)
    }

    // Reads: whether it is judged (four), parameters, mismatch, recovery, what is attested,
    // the votes' set and the set's id, votes, members, the time, all that is withheld, who is
    // unpunished; the set for the key and the account of each. The set is decoded 128 times.
    fn look() -> Weight {
        Weight::from_parts(5_000 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(20, 2)
    }

    fn punish() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(5, 1)
    }
}

impl WeightInfo for () {
    fn on_initialize() -> Weight {
        Weight::zero()
    }

    fn drop_votes() -> Weight {
        Weight::zero()
    }

    fn authorize_vote(_: u32) -> Weight {
        Weight::zero()
    }

    fn vote(_: u32) -> Weight {
        Weight::zero()
    }

    fn settle(_: u32) -> Weight {
        Weight::zero()
    }

    fn authorize_apply_page(_: u32) -> Weight {
        Weight::zero()
    }

    fn apply_page(_: u32) -> Weight {
        Weight::zero()
    }

    fn authorize_vote_fork() -> Weight {
        Weight::zero()
    }

    fn vote_fork() -> Weight {
        Weight::zero()
    }

    fn look() -> Weight {
        Weight::zero()
    }

    fn punish() -> Weight {
        Weight::zero()
    }
}
