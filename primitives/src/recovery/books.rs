//! What a recovery needs of the chain that it recovers: traits that the runtime implements.

use super::{Fall, Outcome, RecoveryPoint};
use crate::{
    chain::{AccountId, Balance, BlockNumber},
    relay::L1BlockContext,
};
use alloc::vec::Vec;
use sp_runtime::Weight;

/// A doubt that a recovery could end: following L1 forward is over, and a deficit is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingDoubt {
    /// The last block before it; `None` if that is not known any more.
    pub since: Option<RecoveryPoint>,
    /// The highest L1 block that L1 kept through all forks since the doubt began.
    pub common: L1BlockContext,
    /// Coins that nothing backs, base units.
    pub deficit: Balance,
}

/// What is in doubt.
pub trait DoubtProvider {
    /// The doubt, if it stands.
    fn standing() -> Option<StandingDoubt>;
    /// Weight of [`Self::standing`].
    fn weight() -> Weight;
    /// The state went back, and L1 is followed again from `common` on: nothing is in doubt.
    fn recovered(common: &L1BlockContext);
}

/// The relay, as far as a recovery moves it.
pub trait RelayRewind {
    /// L1 is delivered again from the block above `common` on.
    fn rewind(common: &L1BlockContext);
    /// Height of the last L1 block all of whose events are applied.
    fn applied() -> u32;
    /// Whether the relay has reached again where it was, all burns are judged, and what had
    /// been minted of those that L1 still has is minted again.
    fn is_settled() -> bool;
    /// Whether no L1 block is delivered in part.
    fn is_between_blocks() -> bool;
    /// How many burns that had been minted were minted again so far, in all recoveries: it
    /// only grows.
    fn turns() -> u64;
    /// The most that [`Self::rewind`] weighs; each of the others is far below.
    fn rewind_weight() -> Weight;
}

/// The chain's books: what of its state goes back, and how users' transactions are repeated.
pub trait Books {
    /// Prefixes of storage keys that go back; none begins another.
    fn parts() -> Vec<Vec<u8>>;
    /// What `key` gets: `old` is its value in the state that is gone back to, `now` the one
    /// that it has. `None` removes it.
    fn merge(key: &[u8], old: Option<Vec<u8>>, now: Option<Vec<u8>>) -> Option<Vec<u8>>;
    /// Mends what the two sides of the cut left between them, after all parts are back:
    /// one bounded step, from 0 on. Returns the next one, `None` when all is done. `since`
    /// is the block whose state the parts have.
    fn mend(since: BlockNumber, step: u32) -> Option<u32>;
    /// The most that one step of [`Self::mend`] weighs.
    fn mend_weight() -> Weight;
    /// The most that [`Self::merge`] weighs, without reading or writing `key` itself.
    fn merge_weight() -> Weight;
    /// Whether the runtime's code is another than at the end of this block.
    fn code_changed_after(block: BlockNumber) -> bool;
    /// Whether the transactions of this block may be repeated already: what else had happened
    /// by then is made up for. It becomes so by itself, in a bounded number of blocks. The
    /// recovery is over when it is so for all numbers.
    fn may_repeat(block: BlockNumber) -> bool;
    /// Who signed a transaction; `None` if nobody did or it is unreadable.
    fn signer(transaction: &[u8]) -> Option<AccountId>;
    /// The most that repeating it weighs; zero if it is unreadable.
    fn weight(transaction: &[u8]) -> Weight;
    /// Applies a transaction again with its fee, all of what is inside of it, or changes
    /// nothing. No nonce changes, but for one that is behind.
    ///
    /// # Errors
    /// Why it does not hold.
    fn repeat(transaction: &[u8]) -> Result<Weight, Fall>;
    /// Sees to it that a transaction that is not repeated cannot be sent in once more.
    fn use_up(transaction: &[u8]);
    /// The most that [`Self::use_up`] weighs.
    fn use_up_weight() -> Weight;
    /// What became of a past block's transactions, by its events as its state has them: the
    /// index in the block, ascending, of each that did not succeed in all. `None` if they
    /// are unreadable.
    fn outcomes(events: &[u8]) -> Option<Vec<(u32, Outcome)>>;
    /// The most that [`Self::outcomes`] weighs with so many bytes.
    fn outcomes_weight(bytes: u32) -> Weight;
}
