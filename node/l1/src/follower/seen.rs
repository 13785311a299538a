//! Burns that stand on L1 and are not applied on L2 yet.

use cascoin_l2_primitives::l1::{L1Hash, OutPoint};
use serde::Serialize;
use std::collections::HashMap;

/// A marked output on L1's best chain, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenBurn {
    /// The output.
    pub outpoint: OutPoint,
    /// Its value, in L1 units.
    pub value: u64,
    /// Its payload, cut after 80 bytes; not judged.
    pub payload: Vec<u8>,
    /// Height of its block.
    pub l1_height: u32,
    /// Hash of its block.
    pub l1_hash: L1Hash,
    /// Blocks from its own to the tip, both counted.
    pub confirmations: u32,
    /// Whether it is deep enough to be voted on.
    pub readable: bool,
}

/// The burns of one moment, to be found by transaction.
#[derive(Default)]
pub(super) struct SeenIndex {
    burns: Vec<SeenBurn>,
    by_transaction: HashMap<L1Hash, Vec<usize>>,
}

impl SeenIndex {
    pub(super) fn new(burns: Vec<SeenBurn>) -> Self {
        let mut by_transaction = HashMap::<_, Vec<_>>::new();
        for (index, burn) in burns.iter().enumerate() {
            by_transaction.entry(burn.outpoint.txid).or_default().push(index);
        }
        Self { burns, by_transaction }
    }

    pub(super) fn of(&self, txid: &L1Hash) -> Vec<SeenBurn> {
        let indices = self.by_transaction.get(txid).map(Vec::as_slice).unwrap_or_default();
        indices.iter().map(|&index| self.burns[index].clone()).collect()
    }

    pub(super) fn all(&self) -> Vec<SeenBurn> {
        self.burns.clone()
    }
}
