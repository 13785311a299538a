//! `l2_getevidence`: who was found breaking the rules, and how.

use super::{Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_consensus::evidence::{Conflict, Standing};
use cascoin_l2_primitives::{
    apis::DoubleSignRecord,
    chain::{BlockHash, BlockNumber, SequencerSet},
    consensus::{Certificate, DoubleSignEvidence, GrandpaRound, MessageKind, Statement},
};
use codec::Encode;
use serde::Serialize;
use sp_core::{ed25519, H256};

pub(super) static EVIDENCE: Signature =
    Signature { method: "l2_getevidence", arguments: &["limit"], required: 0 };

/// Records of the chain that are shown if no limit is given.
const DEFAULT_LIMIT: u32 = 100;
/// The most, which is what the chain keeps.
const MAX_LIMIT: u32 = 1_024;

const DOUBLE_SIGN: &str = "SEQ_DOUBLE_SIGN";
const CONFLICTING: &str = "CONSENSUS_CONFLICTING";

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evidence {
    /// What the chain has established, newest first.
    double_signs: Vec<OnChain>,
    /// What this node can prove and the chain does not know yet, oldest first.
    pending_double_signs: Vec<Pending>,
    /// Heights of which this node has two certificates, as it found them.
    conflicting_certificates: Vec<Conflicting>,
    message: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct OnChain {
    code: &'static str,
    id: H256,
    address: String,
    key: String,
    set_id: u64,
    height: BlockNumber,
    round: u16,
    kind: MessageKind,
    /// The block that established it.
    block: BlockNumber,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pending {
    code: &'static str,
    id: H256,
    /// Whose key it is; null if it is of another set than today's.
    address: Option<String>,
    key: String,
    set_id: u64,
    height: BlockNumber,
    round: u16,
    kind: MessageKind,
    statements: [Statement; 2],
    /// The evidence as the chain takes it, SCALE in hex.
    proof: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Conflicting {
    code: &'static str,
    height: BlockNumber,
    set_id: u64,
    final_here: Certified,
    other: Certified,
    signers_of_both: Vec<Signer>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Certified {
    block: BlockHash,
    /// Round of the certificate; it and the certificate are null where this node
    /// keeps none of old blocks.
    round: Option<u16>,
    /// SCALE in hex.
    certificate: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signer {
    /// Null if the certificates are of another set than today's.
    address: Option<String>,
    key: String,
}

pub(super) fn evidence(context: &Context, args: &Args) -> RpcResult<Evidence> {
    let expected = "a number from 1 to 1024";
    let limit = args.optional::<u32>(0, expected)?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(args.unexpected(0, expected));
    }
    let head = context.chain.head().hash;
    let today = context.chain.sequencers(head)?;
    let known = context.evidence.double_signs().into_iter();
    let pending = known.filter(|known| known.standing == Standing::Pending);
    let pending: Vec<_> = pending.map(|known| show_pending(&known.evidence, &today)).collect();
    let on_chain = context.chain.double_signs(head, limit)?.into_iter().map(show_record);
    let conflicts = context.evidence.conflicts();
    let conflicts: Vec<_> = conflicts.iter().map(|known| show_conflict(known, &today)).collect();
    let on_chain: Vec<_> = on_chain.collect();
    Ok(Evidence {
        message: match (conflicts.is_empty(), on_chain.is_empty() && pending.is_empty()) {
            (false, _) => {
                "two certificates of one height: more than a third of the sequencers are faulty; \
                 compare with the other operators which block they hold"
            }
            (_, false) => "sequencers signed twice",
            _ => "nothing found",
        },
        double_signs: on_chain,
        pending_double_signs: pending,
        conflicting_certificates: conflicts,
    })
}

fn show_record(record: DoubleSignRecord) -> OnChain {
    let DoubleSignRecord { offender, key, set_id, height, round, kind, id, block } = record;
    let (code, address, key) = (DOUBLE_SIGN, show_account(&offender), hex_of(&key.0));
    OnChain { code, id, address, key, set_id, height, round, kind, block }
}

fn show_pending(evidence: &DoubleSignEvidence, today: &SequencerSet) -> Pending {
    Pending {
        code: DOUBLE_SIGN,
        id: evidence.id(),
        address: address_of(&evidence.key, evidence.set_id, today),
        key: hex_of(&evidence.key.0),
        set_id: evidence.set_id,
        height: evidence.height,
        round: evidence.round,
        kind: evidence.kind(),
        statements: [evidence.first.statement, evidence.second.statement],
        proof: hex_of(&evidence.encode()),
    }
}

fn show_conflict(conflict: &Conflict, today: &SequencerSet) -> Conflicting {
    let signers = conflict.signers_of_both().into_iter().map(|key| Signer {
        address: address_of(&key, conflict.set_id, today),
        key: hex_of(&key.0),
    });
    Conflicting {
        code: CONFLICTING,
        height: conflict.height,
        set_id: conflict.set_id,
        final_here: certified(conflict.final_block, conflict.final_certificate.as_ref()),
        other: certified(conflict.other_block, Some(&conflict.other_certificate)),
        signers_of_both: signers.collect(),
    }
}

fn certified(block: BlockHash, certificate: Option<&Certificate>) -> Certified {
    let round = certificate.and_then(|found| GrandpaRound::try_from(found.round).ok());
    Certified {
        block,
        round: round.map(|round| round.round),
        certificate: certificate.map(|found| hex_of(&found.encode())),
    }
}

fn address_of(key: &ed25519::Public, set_id: u64, today: &SequencerSet) -> Option<String> {
    let mut members = today.members.iter().filter(|_| today.set_id == set_id);
    members.find(|member| member.grandpa == *key).map(|member| show_account(&member.account))
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
