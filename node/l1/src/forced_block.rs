//! A forced transaction in a given block of L1, how deep it is and how old: why a hand-over
//! may be due (R17.6, ADR 0035).
//!
//! The block is named by whoever asks, and all else is the L1 node's. That the transaction
//! is one of this chain is judged by [`events`], the rule by which the relay brings it. So
//! it is there exactly where sequencers should have brought it.

use crate::{
    block::{Block, Header},
    client::code,
    events::{events, median, MEDIAN_TIME_SPAN},
    forced, L1Client, L1Error,
};
use cascoin_l2_primitives::{l1::L1Hash, relay::L1Event};
use thiserror::Error;

/// How often it is looked again because L1 moved on meanwhile.
const ATTEMPTS: u32 = 3;

/// Where a forced transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForcedInBlock {
    /// Height of its block, which is on the best chain.
    pub height: u32,
    /// Blocks on top of it, its own included.
    pub confirmations: u32,
    /// Its block's median time, seconds since 1970.
    pub median_time: u32,
    /// The tip's median time, seconds since 1970.
    pub tip_median_time: u32,
}

/// Why it is not known to stand there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ForcedInBlockError {
    /// The L1 node does not answer, has not caught up, or has not got the block any more.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// The L1 node knows no such block.
    #[error("the L1 node knows no block {0}")]
    UnknownBlock(L1Hash),
    /// The block is on a branch that is not the best one.
    #[error("the block is not on the best chain of the L1 node")]
    NotOnBestChain,
    /// The block has no such transaction.
    #[error("the block has no such transaction")]
    NotInBlock,
    /// The transaction forces nothing, or something of another chain.
    #[error("the L1 transaction forces nothing on this chain")]
    NotForced,
    /// Only so many of a block are taken, and others destroy more.
    #[error(
        "the relay does not take it: others of its L1 block destroy more, and only four are taken"
    )]
    CrowdedOut,
    /// The tip was another one each time.
    #[error("L1's tip changed each time it was looked at; try again")]
    Moving,
}

/// The calls to the L1 node.
trait Source {
    /// Height and hash of the tip of a node that has caught up.
    fn tip(&self) -> Result<(u32, L1Hash), L1Error>;
    /// Height of a block on the best chain; `None` if it is on another branch.
    fn height_of(&self, hash: &L1Hash) -> Result<Option<u32>, L1Error>;
    /// A header, checked against its hash.
    fn header(&self, hash: &L1Hash) -> Result<Header, L1Error>;
    /// A block, checked against its hash.
    fn block(&self, hash: &L1Hash) -> Result<Block, L1Error>;
}

impl Source for L1Client {
    fn tip(&self) -> Result<(u32, L1Hash), L1Error> {
        let info = self.check_ready()?;
        Ok((info.blocks, info.best_block))
    }

    fn height_of(&self, hash: &L1Hash) -> Result<Option<u32>, L1Error> {
        self.block_height(hash)
    }

    fn header(&self, hash: &L1Hash) -> Result<Header, L1Error> {
        self.block_header(hash)
    }

    fn block(&self, hash: &L1Hash) -> Result<Block, L1Error> {
        L1Client::block(self, hash)
    }
}

/// Looks for the transaction `txid`, which forces one on the chain `chain_id`, in a block.
///
/// # Errors
/// [`ForcedInBlockError`].
pub fn find(
    client: &L1Client,
    block: &L1Hash,
    txid: &L1Hash,
    chain_id: u32,
) -> Result<ForcedInBlock, ForcedInBlockError> {
    find_in(client, block, txid, chain_id)
}

fn find_in(
    source: &impl Source,
    block: &L1Hash,
    txid: &L1Hash,
    chain_id: u32,
) -> Result<ForcedInBlock, ForcedInBlockError> {
    for _ in 0..ATTEMPTS {
        let (tip_height, tip) = source.tip()?;
        let height = match source.height_of(block) {
            Ok(height) => height.ok_or(ForcedInBlockError::NotOnBestChain)?,
            Err(L1Error::Rpc { code: code::INVALID_ADDRESS_OR_KEY, .. }) => {
                return Err(ForcedInBlockError::UnknownBlock(*block));
            }
            Err(error) => return Err(error.into()),
        };
        let read = source.block(block).map_err(|error| error.at_height(height))?;
        check(&read, height, txid, chain_id)?;
        let median_time = median_time(source, block)?;
        let tip_median_time = self::median_time(source, &tip)?;
        // Only then do depth and times belong together.
        if source.tip()? == (tip_height, tip) {
            let confirmations = tip_height.saturating_sub(height).saturating_add(1);
            return Ok(ForcedInBlock { height, confirmations, median_time, tip_median_time });
        }
    }
    Err(ForcedInBlockError::Moving)
}

/// Whether the relay takes the transaction from this block as one for the chain.
fn check(
    block: &Block,
    height: u32,
    txid: &L1Hash,
    chain_id: u32,
) -> Result<(), ForcedInBlockError> {
    let is_asked_for = |transaction: &crate::block::BlockTransaction<'_>| {
        transaction.outputs().next().is_some_and(|(outpoint, _)| outpoint.txid == *txid)
    };
    let transaction =
        block.transactions().find(is_asked_for).ok_or(ForcedInBlockError::NotInBlock)?;
    let (_, event) = forced::transaction(&transaction).ok_or(ForcedInBlockError::NotForced)?;
    if !matches!(&event, L1Event::ForcedTransaction { chain_id: of, .. } if *of == chain_id) {
        return Err(ForcedInBlockError::NotForced);
    }
    match events(block, height).contains(&event) {
        true => Ok(()),
        false => Err(ForcedInBlockError::CrowdedOut),
    }
}

/// A block's median time, by the links of its headers.
fn median_time(source: &impl Source, block: &L1Hash) -> Result<u32, L1Error> {
    let (mut times, mut hash) = (Vec::with_capacity(MEDIAN_TIME_SPAN), *block);
    while times.len() < MEDIAN_TIME_SPAN && hash != L1Hash::default() {
        let header = source.header(&hash)?;
        times.push(header.time);
        hash = header.previous;
    }
    // One at least, its own.
    Ok(median(&times).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{
        builder::{add_witness, raw_block_on, transaction, with_commitment},
        HEADER_LEN,
    };
    use cascoin_l2_primitives::l1::forced::{data_script, ForcedPayload};
    use std::cell::Cell;

    const CHAIN: u32 = 3;
    /// Height of the block with forced transactions.
    const AT: usize = 20;

    /// An L1 whose block at height `h` has the time 1,000 h.
    struct Model {
        blocks: Vec<(L1Hash, Vec<u8>)>,
        /// A block beside the one at [`AT`].
        beside: (L1Hash, Vec<u8>),
        /// How often the tip moves on when it is asked for.
        moves: Cell<u32>,
        hidden: Cell<usize>,
        fault: Option<L1Error>,
        pruned: bool,
    }

    fn hash_of(raw: &[u8]) -> L1Hash {
        L1Hash::of(&raw[..HEADER_LEN])
    }

    fn refused(code: i32) -> L1Error {
        L1Error::Rpc { method: "getblockheader".into(), code, message: "no".into() }
    }

    impl Model {
        fn of(height: usize, forced: &[Vec<u8>]) -> Self {
            let mut blocks: Vec<(L1Hash, Vec<u8>)> = Vec::new();
            let mut beside = (L1Hash::default(), Vec::new());
            for at in 0..=height {
                let previous = blocks.last().map_or_else(L1Hash::default, |(hash, _)| *hash);
                let inside = if at == AT { with_commitment(forced) } else { with_commitment(&[]) };
                let time = 1_000 * at as u32;
                let raw = raw_block_on(previous, time, &inside);
                if at == AT {
                    let other = raw_block_on(previous, time + 1, &inside);
                    beside = (hash_of(&other), other);
                }
                blocks.push((hash_of(&raw), raw));
            }
            let (moves, hidden) = (Cell::new(0), Cell::new(0));
            Self { blocks, beside, moves, hidden, fault: None, pruned: false }
        }

        fn raw(&self, hash: &L1Hash) -> Result<&[u8], L1Error> {
            let mut all = self.blocks.iter().chain([&self.beside]);
            let found = all.find(|(known, _)| known == hash);
            found.map(|(_, raw)| &raw[..]).ok_or_else(|| refused(code::INVALID_ADDRESS_OR_KEY))
        }
    }

    impl Source for Model {
        fn tip(&self) -> Result<(u32, L1Hash), L1Error> {
            if let Some(fault) = &self.fault {
                return Err(fault.clone());
            }
            let height = self.blocks.len() - 1 - self.hidden.get();
            if self.moves.get() > 0 {
                self.moves.set(self.moves.get() - 1);
                self.hidden.set(self.hidden.get() - 1);
            }
            Ok((height as u32, self.blocks[height].0))
        }

        fn height_of(&self, hash: &L1Hash) -> Result<Option<u32>, L1Error> {
            self.raw(hash)?;
            let place = self.blocks.iter().position(|(known, _)| known == hash);
            Ok(place.map(|place| place as u32))
        }

        fn header(&self, hash: &L1Hash) -> Result<Header, L1Error> {
            let raw = self.raw(hash)?;
            Ok(Header::read(&raw[..HEADER_LEN], hash).expect("built right"))
        }

        fn block(&self, hash: &L1Hash) -> Result<Block, L1Error> {
            if self.pruned {
                return Err(L1Error::Pruned { url: "http://l1".into(), block: hash.to_string() });
            }
            Ok(Block::read(self.raw(hash)?.to_vec(), hash).expect("built right"))
        }
    }

    /// A transaction of L1 that destroys `paid` and forces one on a chain; and its id.
    fn forcing(seed: u8, paid: u64, chain_id: u32) -> (Vec<u8>, L1Hash) {
        let data = vec![seed; 100];
        let script = data_script(&data, &[2; 33]).expect("it fits");
        let message = ForcedPayload::of(&data).expect("it fits").script(chain_id);
        let plain = transaction(seed, &[(5, vec![0x51]), (paid, message)]);
        (add_witness(&plain, &[&[0x30; 71], &script]), L1Hash::of(&plain))
    }

    fn find(model: &Model, txid: &L1Hash) -> Result<ForcedInBlock, ForcedInBlockError> {
        find_in(model, &model.blocks[AT].0, txid, CHAIN)
    }

    #[test]
    fn r17_6_a_forced_transaction_is_found_with_its_depth_and_both_median_times() {
        let (raw, txid) = forcing(1, 9, CHAIN);
        for above in [0, 1, 30] {
            let model = Model::of(AT + above, std::slice::from_ref(&raw));
            let found = find(&model, &txid).expect("it is there");
            assert_eq!((found.height, found.confirmations), (20, above as u32 + 1));
            // Of eleven times that rise by 1,000 the middle one is five blocks back.
            assert_eq!(found.median_time, 15_000);
            assert_eq!(found.tip_median_time, 15_000 + 1_000 * above as u32);
        }
    }

    #[test]
    fn near_genesis_there_are_fewer_times() {
        let model = Model::of(AT, &[]);
        let of = |height: usize| median_time(&model, &model.blocks[height].0);
        // Of an even number the later of the two, as L1 takes it.
        assert_eq!((of(0), of(1), of(2)), (Ok(0), Ok(1_000), Ok(1_000)));
        assert_eq!((of(10), of(11)), (Ok(5_000), Ok(6_000)));
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let (raw, txid) = forcing(1, 9, CHAIN);
        let (foreign, of_another) = forcing(2, 9, CHAIN + 1);
        let plain = transaction(3, &[(5, vec![0x51])]);
        let of_nothing = L1Hash::of(&plain);
        let model = Model::of(AT + 2, &[raw, foreign, plain]);
        assert!(find(&model, &txid).is_ok());
        assert_eq!(find(&model, &of_another), Err(ForcedInBlockError::NotForced));
        assert_eq!(find(&model, &of_nothing), Err(ForcedInBlockError::NotForced));
        assert_eq!(find(&model, &L1Hash([9; 32])), Err(ForcedInBlockError::NotInBlock));
        let at = |block: L1Hash| find_in(&model, &block, &txid, CHAIN);
        assert_eq!(at(model.blocks[AT + 1].0), Err(ForcedInBlockError::NotInBlock));
        assert_eq!(at(model.beside.0), Err(ForcedInBlockError::NotOnBestChain));
        let unknown = L1Hash([7; 32]);
        assert_eq!(at(unknown), Err(ForcedInBlockError::UnknownBlock(unknown)));
    }

    /// The relay brings four of a block, so a fifth is no proof that it brought none.
    #[test]
    fn what_the_relay_does_not_take_from_its_block_does_not_count() {
        let all = [1, 2, 3, 4, 5].map(|seed| forcing(seed, u64::from(seed), CHAIN));
        let raws: Vec<_> = all.iter().map(|(raw, _)| raw.clone()).collect();
        let model = Model::of(AT, &raws);
        assert_eq!(find(&model, &all[0].1), Err(ForcedInBlockError::CrowdedOut));
        assert!(all[1..].iter().all(|(_, txid)| find(&model, txid).is_ok()));
    }

    #[test]
    fn a_tip_that_moves_is_looked_at_again() {
        let (raw, txid) = forcing(1, 9, CHAIN);
        let mut model = Model::of(AT + 9, &[raw]);
        model.hidden.set(9);
        // Behind the first look, and in the second attempt no more.
        model.moves.set(2);
        let found = find(&model, &txid).expect("the third attempt at the latest");
        assert_eq!(found.confirmations, 10 - model.hidden.get() as u32);
        model.hidden.set(9);
        model.moves.set(9);
        assert_eq!(find(&model, &txid), Err(ForcedInBlockError::Moving));
        model.fault = Some(L1Error::Syncing { blocks: 1, headers: 9 });
        assert_eq!(
            find(&model, &txid),
            Err(ForcedInBlockError::L1(L1Error::Syncing { blocks: 1, headers: 9 }))
        );
    }

    #[test]
    fn a_pruned_block_is_named_with_its_height() {
        let (raw, txid) = forcing(1, 9, CHAIN);
        let model = Model { pruned: true, ..Model::of(AT, &[raw]) };
        let error = find(&model, &txid).expect_err("it is gone");
        assert!(error.to_string().contains("L1 block 20 ("), "{error}");
    }
}
