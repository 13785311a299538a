//! Records as people and programs read them.

use super::Record;
use cascoin_bft::VoteKind;
use serde_json::{json, Value};
use sp_runtime::traits::{Block as _, Header as _};

impl Record {
    /// The height it speaks of; none of a header.
    pub fn height(&self) -> Option<u32> {
        match self {
            Self::Header { .. } => None,
            Self::Block(block) => Some(*block.header().number()),
            Self::Proposal(signed) => Some(signed.proposal().height.0),
            Self::Vote(signed) => Some(signed.vote().height.0),
            Self::Lock { height, .. } | Self::Decided { height, .. } => Some(*height),
        }
    }

    /// As a JSON object with the member `record`, which names its kind. Hashes are
    /// hexadecimal; a body is left out, its transactions are counted.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Header { genesis, key } => json!({
                "record": "header", "genesis": genesis, "key": hex::encode(key.0),
            }),
            Self::Block(block) => json!({
                "record": "block", "height": block.header().number(), "block": block.hash(),
                "transactions": block.extrinsics().len(),
            }),
            Self::Proposal(signed) => {
                let proposal = signed.proposal();
                json!({
                    "record": "proposal", "height": proposal.height.0, "round": proposal.round.0,
                    "block": crate::header::hash_of(proposal.block),
                    "validRound": proposal.valid_round.map(|round| round.0),
                    "proposer": proposal.proposer.0, "setId": signed.set_id,
                    "signature": hex::encode(signed.signature.0),
                })
            }
            Self::Vote(signed) => {
                let vote = signed.vote();
                let kind = match vote.kind {
                    VoteKind::Prevote => "prevote",
                    VoteKind::Precommit => "precommit",
                };
                json!({
                    "record": kind, "height": vote.height.0, "round": vote.round.0,
                    "block": vote.block.map(crate::header::hash_of),
                    "voter": vote.voter.0, "setId": signed.set_id,
                    "signature": hex::encode(signed.signature.0),
                })
            }
            Self::Lock { height, set_id, round, block } => json!({
                "record": "lock", "height": height, "round": round, "block": block,
                "setId": set_id,
            }),
            Self::Decided { height, set_id, block, certificate } => json!({
                "record": "decided", "height": height, "block": block, "setId": set_id,
                "signatures": certificate.commit.precommits.len(),
            }),
        }
    }

    /// As one line of text.
    pub fn to_line(&self) -> String {
        let object = self.to_json();
        let text = |name: &str| match &object[name] {
            Value::Null => String::new(),
            Value::String(value) => format!(" {name} {value}"),
            value => format!(" {name} {value}"),
        };
        let kind = object["record"].as_str().unwrap_or_default();
        let of_nil = matches!(self, Self::Vote(signed) if signed.vote().block.is_none());
        let members = ["height", "round", "validRound", "voter", "proposer", "signatures", "key"];
        let line: String = members.into_iter().map(text).collect();
        let block = if of_nil { " nil".into() } else { text("block") };
        format!("{kind}{line}{block}")
    }
}
