//! `l2_getreputationexports`: what L2 tells L1 of reputations, with the signatures that
//! prove it (R10.4).

use super::{At, Context, Finality, RpcResult, CERTIFIED};
use crate::args::{Args, Signature};
use cascoin_l2_primitives::{
    apis::OpenExport,
    chain::{BlockHash, BlockNumber},
    l1::address::L1Address,
    reputation::{
        export::{ReputationExport, SignedExport},
        rule::Suspicion,
    },
};
use codec::Encode;
use serde::Serialize;
use sp_core::H256;

pub(super) static EXPORTS: Signature =
    Signature { method: "l2_getreputationexports", arguments: &["from", "limit"], required: 0 };

/// Batches that are shown if no limit is given.
const DEFAULT_LIMIT: u32 = 4;
/// The most, which is what the chain keeps.
const MAX_LIMIT: u32 = 16;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exports {
    block_number: u32,
    #[serde(flatten)]
    finality: Finality,
    /// What signatures cover besides a batch's hash and the set.
    genesis: BlockHash,
    /// Sequence number of the oldest batch that is kept; one more than `last` if none is.
    oldest: u32,
    /// Sequence number of the batch that was made last; 0 if none was.
    last: u32,
    /// Entries that the next batch has so far.
    drafted: u32,
    count: usize,
    /// Signed and waiting for settlement, oldest first.
    exports: Vec<Signed>,
    /// The last batch, while it is being signed; else null.
    in_signing: Option<Open>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    sequence: u32,
    /// Sequence number of the oldest batch that waited when this one was made. L1 may leave
    /// out those before it.
    oldest: u32,
    hash: H256,
    previous: H256,
    /// The block that made it.
    height: BlockNumber,
    entries: Vec<Entry>,
    set_id: u64,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// On L1.
    address: String,
    /// 0 if the address is linked no more.
    score: u8,
    suspicion: Option<Suspicion>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    #[serde(flatten)]
    batch: Batch,
    signatures: Vec<SignatureOf>,
    /// Batch and signatures, SCALE in hex.
    proof: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignatureOf {
    /// Index in the set.
    signer: u16,
    /// By its relay key.
    signature: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    #[serde(flatten)]
    batch: Batch,
    /// Indices in the set of those that have signed.
    signers: Vec<u16>,
}

pub(super) fn exports(context: &Context, args: &Args) -> RpcResult<Exports> {
    let from = args.optional::<u32>(0, "a sequence number")?.unwrap_or(0);
    let expected = "a number from 1 to 16";
    let limit = args.optional::<u32>(1, expected)?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(args.unexpected(1, expected));
    }
    let at = context.at_head()?;
    let report = context.chain.reputation_exports(at.head.hash, from, limit)?;
    Ok(Exports {
        block_number: at.head.number,
        finality: CERTIFIED,
        genesis: at.head.genesis,
        oldest: report.oldest,
        last: report.last,
        drafted: report.drafted,
        count: report.signed.len(),
        exports: report.signed.iter().map(|signed| show_signed(&at, signed)).collect(),
        in_signing: report.in_signing.map(|open| show_open(&at, open)),
    })
}

fn show_batch(at: &At, export: &ReputationExport, set_id: u64) -> Batch {
    let entries = export.entries.iter().map(|entry| Entry {
        address: L1Address::PublicKeyHash(entry.address.0).encode(at.l1_params()),
        score: entry.exported.score.get(),
        suspicion: entry.exported.suspicion,
    });
    Batch {
        sequence: export.sequence,
        oldest: export.oldest,
        hash: export.hash(),
        previous: export.previous,
        height: export.height,
        entries: entries.collect(),
        set_id,
    }
}

fn show_signed(at: &At, signed: &SignedExport) -> Signed {
    let signatures = signed.certificate.signatures.iter().map(|one| SignatureOf {
        signer: one.signer,
        signature: format!("0x{}", hex::encode(one.signature.0)),
    });
    Signed {
        batch: show_batch(at, &signed.export, signed.certificate.set_id),
        signatures: signatures.collect(),
        proof: format!("0x{}", hex::encode(signed.encode())),
    }
}

fn show_open(at: &At, open: OpenExport) -> Open {
    Open { batch: show_batch(at, &open.export, open.set_id), signers: open.signers }
}
