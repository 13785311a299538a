//! What the pallet asks of the runtime.

use alloc::vec::Vec;
use cascoin_l2_primitives::{chain::AccountId, hand_over::Successor};
use sp_core::ed25519;

/// Who may go on from a set that does nothing, and how they do.
pub trait Succession {
    /// Id of the set in force.
    fn set_id() -> u64;

    /// Least and most accounts of a set.
    fn size() -> (u32, u32);

    /// The relay key of an account, if it may go on: it has a seat, or is a candidate that could
    /// be elected, and its keys are good.
    fn successor_key(account: &AccountId) -> Option<ed25519::Public>;

    /// All who may go on, by account, with what operators choose by.
    fn successors() -> Vec<Successor>;

    /// Puts these accounts into force in their order, as the set with this id, before anybody
    /// has looked for the set or the author of the block that begins. All of them may go on;
    /// their number is within [`size`](Self::size), and the id is above
    /// [`set_id`](Self::set_id).
    fn succeed(accounts: &[AccountId], set_id: u64);

    /// Makes a state in which a hand-over is as heavy as can be. Returns who goes on, all with
    /// this relay key, by account.
    #[cfg(feature = "runtime-benchmarks")]
    fn worst_case(relay: ed25519::Public) -> Vec<AccountId>;
}
