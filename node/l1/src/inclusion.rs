//! Proofs that a transaction is in a block, as L2 checks them.

use crate::{block::Block, L1Client, L1Error};
use bitcoin::consensus;
use cascoin_l2_primitives::l1::{
    inclusion::{path_to, InclusionProof, HEADER_LEN},
    L1Hash,
};
use thiserror::Error;

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InclusionError {
    /// The L1 node does not answer, or not usefully.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// The block is not on the L1 node's best chain.
    #[error("the block is not on the best chain")]
    NotOnBestChain,
    /// The block has no such transaction.
    #[error("the block has no such transaction")]
    NotInBlock,
    /// The transaction is longer than a proof can be.
    #[error("the transaction is longer than L2 takes")]
    TooLong,
}

/// Proves that a transaction is in a block.
///
/// # Errors
/// [`InclusionError`].
pub fn prove(
    client: &L1Client,
    txid: &L1Hash,
    block: &L1Hash,
) -> Result<InclusionProof, InclusionError> {
    let height = client.block_height(block)?.ok_or(InclusionError::NotOnBestChain)?;
    let header = header(client, block)?;
    of_block(&client.block(block)?, header, height, txid)
}

/// The 80 bytes of a header.
fn header(client: &L1Client, block: &L1Hash) -> Result<[u8; HEADER_LEN], L1Error> {
    const METHOD: &str = "getblockheader";
    let text: String = client.query(METHOD, vec![block.to_string().into(), false.into()])?;
    let raw = hex::decode(text).ok().and_then(|raw| <[u8; HEADER_LEN]>::try_from(raw).ok());
    raw.filter(|raw| L1Hash::of(raw) == *block)
        .ok_or_else(|| L1Error::bad_reply(METHOD, "not the header that was asked for"))
}

fn of_block(
    block: &Block,
    header: [u8; HEADER_LEN],
    height: u32,
    txid: &L1Hash,
) -> Result<InclusionProof, InclusionError> {
    let mut txids = Vec::with_capacity(block.transaction_count());
    let mut found = None;
    for transaction in block.transactions() {
        let stripped = stripped(transaction.raw())
            .ok_or_else(|| L1Error::bad_reply("getblock", "a transaction that cannot be read"))?;
        let id = L1Hash::of(&stripped);
        if id == *txid {
            found = Some((txids.len(), stripped));
        }
        txids.push(id);
    }
    let (position, stripped) = found.ok_or(InclusionError::NotInBlock)?;
    let path = path_to(&txids, position).ok_or(InclusionError::NotInBlock)?;
    Ok(InclusionProof {
        height,
        header,
        transaction: stripped.try_into().map_err(|_| InclusionError::TooLong)?,
        position: u32::try_from(position).map_err(|_| InclusionError::NotInBlock)?,
        // No block has more transactions than a path can tell.
        path: path.try_into().map_err(|_| InclusionError::NotInBlock)?,
    })
}

fn stripped(raw: &[u8]) -> Option<Vec<u8>> {
    Some(without_witnesses(consensus::deserialize(raw).ok()?))
}

/// A transaction without its witnesses: what its identifier is the hash of.
pub(crate) fn without_witnesses(mut transaction: bitcoin::Transaction) -> Vec<u8> {
    transaction.input.iter_mut().for_each(|input| input.witness.clear());
    consensus::serialize(&transaction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::{
            builder::{raw_block, signer, trust, with_coinbase, Form},
            Transaction,
        },
        sighash::legacy_digest_of_type,
    };
    use bitcoin::Script;
    use cascoin_l2_primitives::l1::{
        testing::{pays, Spend},
        transaction::StrippedTransaction,
    };
    use proptest::prelude::*;

    /// A block of these transactions and its header.
    fn block(transactions: &[Vec<u8>]) -> (Block, [u8; HEADER_LEN]) {
        let raw = raw_block(&with_coinbase(transactions));
        let header: [u8; HEADER_LEN] = raw[..HEADER_LEN].try_into().expect("a header");
        let hash = L1Hash::of(&header);
        (Block::read(raw, &hash).expect("built right"), header)
    }

    #[test]
    fn every_transaction_of_a_block_is_proven() {
        let spend = Spend::of(&[1, 2]).signed();
        let mut transactions: Vec<Vec<u8>> =
            (0..6).map(|seed| trust(seed, 5, &signer()).signed()).collect();
        transactions.push(spend.clone());
        for count in 1..=transactions.len() {
            let used = &transactions[transactions.len() - count..];
            let (block, header) = block(used);
            for raw in used {
                let proof = of_block(&block, header, 9, &L1Hash::of(raw)).expect("it is there");
                assert_eq!(proof.transaction.to_vec(), *raw);
                assert_eq!((proof.height, proof.block()), (9, block.header().hash));
                assert!(proof.included().is_some());
            }
        }
        let (block, header) = block(&transactions);
        let absent = of_block(&block, header, 9, &L1Hash([7; 32]));
        assert_eq!(absent, Err(InclusionError::NotInBlock));
    }

    #[test]
    fn witnesses_are_left_out() {
        let nested = trust(7, 5, &signer()).signed_as(Form::Nested, 1);
        let stripped_of = |raw: &[u8]| stripped(raw).expect("a transaction");
        let txid = Transaction::read(&nested).expect("a transaction").txid;
        assert_eq!(L1Hash::of(&stripped_of(&nested)), txid);
        assert!(StrippedTransaction::read(&nested).is_none());
        assert!(StrippedTransaction::read(&stripped_of(&nested)).is_some());
        let plain = Spend::of(&[1, 2]).signed();
        assert_eq!(stripped_of(&plain), plain);
    }

    #[test]
    fn a_transaction_that_is_too_long_has_no_proof() {
        let outputs = vec![(1, [&[0x6a][..], &[1; 200]].concat()); 200];
        let long = Spend { outputs, ..Spend::of(&[1]) }.with_scripts(&[vec![]]);
        assert!(long.len() > 32 * 1024);
        let (block, header) = block(&[long.clone()]);
        let proof = of_block(&block, header, 9, &L1Hash::of(&long));
        assert_eq!(proof, Err(InclusionError::TooLong));
    }

    proptest! {
        /// What the runtime computes is what the library computes.
        #[test]
        fn digests_are_those_of_the_library(
            keys in prop::collection::vec(1u8..9, 1..6),
            outputs in prop::collection::vec(
                (0u64..1 << 50, prop::collection::vec(any::<u8>(), 1..200)), 1..5),
            fork: bool,
        ) {
            let hash_type = if fork { 0x41 } else { 0x01 };
            let raw = Spend { keys: keys.clone(), outputs, hash_type }.signed();
            let ours = StrippedTransaction::read(&raw).expect("a transaction");
            let theirs: bitcoin::Transaction = consensus::deserialize(&raw).expect("a transaction");
            for (index, key) in keys.iter().enumerate() {
                let script = pays(*key);
                let expected =
                    legacy_digest_of_type(&theirs, index, Script::from_bytes(&script), hash_type);
                prop_assert_eq!(ours.legacy_digest(index, &script, hash_type), expected.ok());
            }
        }
    }
}
