//! `l2_getblockbynumber`.

use super::{Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
    chain::StoredBlock,
    errors::Named,
};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber, Header, Moment, SequencerSet},
    consensus::{Certificate, LeaderDigest, CERTIFICATE_ENGINE_ID},
};
use codec::Decode;
use serde::Serialize;
use sp_runtime::{
    generic::DigestItem,
    traits::{BlakeTwo256, Hash},
};

pub(super) static BLOCK_BY_NUMBER: Signature = Signature {
    method: "l2_getblockbynumber",
    arguments: &["blocknumber", "verbose"],
    required: 1,
};

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockAnswer {
    number: BlockNumber,
    hash: BlockHash,
    parent_hash: BlockHash,
    state_root: BlockHash,
    transactions_root: BlockHash,
    /// Who built it; null where the set of then is not known any more.
    sequencer: Option<String>,
    sequencer_index: Option<u16>,
    term: Option<u32>,
    round: Option<u16>,
    timestamp: Option<Moment>,
    gas_limit: u64,
    l2_chain_id: u32,
    /// Null where the block's body is pruned.
    transaction_count: Option<usize>,
    /// Sequencers that certified it.
    signature_count: usize,
    is_finalized: bool,
    #[serde(flatten)]
    finality: Finality,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<Transaction>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signatures: Option<Vec<Signer>>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    hash: BlockHash,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    from: Option<String>,
    pallet: Option<String>,
    call: Option<String>,
    call_index: Option<(u8, u8)>,
    hex: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signer {
    sequencer: Option<String>,
    index: Option<usize>,
    key: String,
}

pub(super) fn block_by_number(context: &Context, args: &Args) -> RpcResult<BlockAnswer> {
    let at = context.at_head()?;
    let verbose = args.flag(1, true)?;
    let number = match args.text(0).trim().to_ascii_lowercase().as_str() {
        "latest" | "final" | "finalized" => at.head.number,
        _ => args.required(0, "a block height, or \"latest\" or \"final\"")?,
    };
    if number > at.head.number {
        return Err(Named::BlockNotFound.with(format!("the last block is {}", at.head.number)));
    }
    let missing = || Named::BlockNotFound.with("this node does not have it");
    let hash = context.chain.hash_of(number)?.ok_or_else(missing)?;
    let block = context.chain.block(hash)?.ok_or_else(missing)?;
    let signers = signers(&block);
    let leader = LeaderDigest::find(block.header.digest.logs());
    // The set that certified it; its state may be pruned, and genesis has none.
    let set = (number > 0)
        .then(|| context.chain.sequencers(block.header.parent_hash).ok())
        .flatten()
        .unwrap_or_default();
    let transactions = verbose.then_some(block.transactions.as_ref()).flatten().map(|list| {
        list.iter().map(|transaction| show_transaction(context, transaction)).collect()
    });
    Ok(BlockAnswer {
        number,
        hash,
        parent_hash: block.header.parent_hash,
        state_root: block.header.state_root,
        transactions_root: block.header.extrinsics_root,
        sequencer: leader
            .and_then(|leader| set.members.get(usize::from(leader.leader)))
            .map(|member| show_account(&member.account)),
        sequencer_index: leader.map(|leader| leader.leader),
        term: leader.map(|leader| leader.term),
        round: leader.map(|leader| leader.round),
        timestamp: timestamp(&block.header),
        gas_limit: at.parameters.block_gas_limit,
        l2_chain_id: at.parameters.chain_id,
        transaction_count: block.transactions.as_ref().map(Vec::len),
        signature_count: signers.len(),
        is_finalized: true,
        finality: CERTIFIED,
        transactions,
        signatures: verbose.then(|| signers.iter().map(|key| show_signer(key, &set)).collect()),
    })
}

/// When the block was made: its Aura slot, since slots are milliseconds here
/// (consensus.md, decision 7). `None` for genesis.
pub(super) fn timestamp(header: &Header) -> Option<Moment> {
    header.digest.logs().iter().find_map(|log| match log {
        DigestItem::PreRuntime(engine, slot) if engine == b"aura" => {
            Moment::decode(&mut &slot[..]).ok()
        }
        _ => None,
    })
}

/// Keys that signed the block's certificate; none for genesis.
fn signers(block: &StoredBlock) -> Vec<[u8; 32]> {
    let certificate = block
        .justifications
        .as_ref()
        .and_then(|all| all.get(CERTIFICATE_ENGINE_ID))
        .and_then(|encoded| Certificate::decode(&mut &encoded[..]).ok());
    let Some(certificate) = certificate else { return Vec::new() };
    let ids = certificate.commit.precommits.iter().map(|signed| &signed.id);
    ids.filter_map(|id| <[u8; 32]>::try_from(AsRef::<[u8]>::as_ref(id)).ok()).collect()
}

fn show_signer(key: &[u8; 32], set: &SequencerSet) -> Signer {
    let index = set.members.iter().position(|member| member.grandpa.0 == *key);
    let account = index.and_then(|index| set.members.get(index)).map(|member| &member.account);
    Signer { sequencer: account.map(show_account), index, key: format!("0x{}", hex::encode(key)) }
}

fn show_transaction(context: &Context, encoded: &[u8]) -> Transaction {
    let described = context.chain.describe(encoded);
    Transaction {
        hash: BlakeTwo256::hash(encoded),
        kind: described.kind,
        from: described.signer.as_ref().map(show_account),
        pallet: described.pallet,
        call: described.call,
        call_index: described.index,
        hex: format!("0x{}", hex::encode(encoded)),
    }
}
