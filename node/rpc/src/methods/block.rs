//! `l2_getblockbynumber`.

use super::{Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
    chain::StoredBlock,
    errors::Named,
};
use cascoin_consensus::header::SealedHeader;
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber, Header, Moment, SequencerSet},
    consensus::{Certificate, LeaderDigest, CERTIFICATE_ENGINE_ID},
};
use codec::Decode;
use serde::Serialize;
use sp_runtime::{
    generic::DigestItem,
    traits::{BlakeTwo256, Hash},
    ConsensusEngineId,
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
    let set = match number {
        0 => SequencerSet::default(),
        _ => set_of(&block.header, context.chain.sequencers(block.header.parent_hash).ok(), || {
            context.chain.sequencers(at.head.hash).ok()
        }),
    };
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

/// The set that certified a block: `of_parent`, or where that state is pruned
/// today's set, if one of it sealed the block. Else none is known.
fn set_of(
    header: &Header,
    of_parent: Option<SequencerSet>,
    today: impl FnOnce() -> Option<SequencerSet>,
) -> SequencerSet {
    of_parent.or_else(|| today().filter(|set| sealed_by(header, set))).unwrap_or_default()
}

fn sealed_by(header: &Header, set: &SequencerSet) -> bool {
    let keys: Vec<_> = set.members.iter().map(|member| member.aura).collect();
    SealedHeader::parse(header).and_then(|sealed| sealed.check_seal(&keys)).is_ok()
}

/// The engine of the digest that names the slot.
const AURA: ConsensusEngineId = *b"aura";

/// When the block was made: its Aura slot, since slots are milliseconds here
/// (consensus.md, decision 7). `None` for genesis.
pub(super) fn timestamp(header: &Header) -> Option<Moment> {
    header.digest.logs().iter().find_map(|log| match log {
        DigestItem::PreRuntime(AURA, slot) => Moment::decode(&mut &slot[..]).ok(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_consensus::header::{pre_digest, seal_item};
    use cascoin_l2_primitives::chain::SequencerInfo;
    use sp_core::{ecdsa, ed25519, Pair};
    use sp_runtime::traits::Header as _;

    fn pair(seed: u8) -> ed25519::Pair {
        ed25519::Pair::from_seed(&[seed; 32])
    }

    fn set(set_id: u64, seeds: &[u8]) -> SequencerSet {
        let member = |seed: &u8| SequencerInfo {
            account: [*seed; 32].into(),
            aura: pair(*seed).public(),
            grandpa: pair(*seed).public(),
            relay: pair(*seed).public(),
            vault: ecdsa::Public::from_raw([*seed; 33]),
            weight: 1,
            barred: false,
        };
        SequencerSet { set_id, members: seeds.iter().map(member).collect() }
    }

    #[test]
    fn where_the_state_is_pruned_the_seal_tells_whether_todays_set_made_the_block() {
        let leader = LeaderDigest { term: 3, round: 0, leader: 1 };
        let hash = BlockHash::default();
        let mut header = Header::new(7, hash, hash, hash, pre_digest(1_001, leader, None));
        let seal = pair(11).sign(header.hash().as_bytes());
        header.digest_mut().push(seal_item(seal));

        let known = |of_parent, today| set_of(&header, of_parent, || Some(today)).set_id;
        assert_eq!(known(Some(set(4, &[1, 2])), set(5, &[10, 11])), 4, "the state itself tells");
        assert_eq!(known(None, set(5, &[10, 11])), 5);
        assert_eq!(known(None, set(5, &[10, 12])), 0, "another made it");
        assert_eq!(known(None, set(5, &[11, 10])), 0, "the places changed");
    }
}
