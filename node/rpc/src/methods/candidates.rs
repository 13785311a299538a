//! `l2_announcesequencer`, and how candidates are shown.

use super::{account::account_at, At, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::Named,
};
use cascoin_l2_primitives::{apis::CandidateInfo, chain::AccountId};
use serde::Serialize;

pub(super) static ANNOUNCE: Signature = Signature {
    method: "l2_announcesequencer",
    arguments: &["stake", "hatscore", "endpoint", "address"],
    required: 2,
};

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    address: String,
    /// Who controls it, as it declares.
    controller: String,
    /// Whose seats it takes, by all that is known: those with the same entity share the
    /// seats of one.
    entity: String,
    endpoint: String,
    announced_at: u32,
    /// What of its stake counts.
    stake: String,
    /// What it has bonded on this chain.
    bonded: String,
    /// What it has locked on L1 for long enough. It counts as far as what is bonded
    /// covers it.
    locked_on_l1: String,
    hat_score: u8,
    is_eligible: bool,
    /// Whether a sample of sequencers vouched for it.
    is_verified: bool,
    /// Whether the controller says so, too.
    is_controller_confirmed: bool,
    /// Who is asked now, and how many said yes and no.
    asked: Vec<String>,
    attestation_count: u32,
    refusal_count: u32,
    /// Whether it has a seat in the next set.
    is_elected: bool,
    /// What its node said of itself last, to this node; null if nothing lately.
    node: Option<HeardNode>,
}

/// A node as it announced itself (`SEQANNOUNCE`).
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeardNode {
    peer_id: String,
    /// Where it listens: multiaddresses without the identity.
    addresses: Vec<String>,
    /// A block that was final for it then.
    final_block: u32,
}

pub(super) fn heard_node(context: &Context, account: &AccountId) -> Option<HeardNode> {
    let heard = context.announcements.heard_of(account)?;
    Some(HeardNode {
        peer_id: heard.peer.to_string(),
        addresses: heard.addresses,
        final_block: heard.height,
    })
}

pub(super) fn show(
    context: &Context,
    at: &At,
    candidate: CandidateInfo,
    entity: &AccountId,
) -> Candidate {
    Candidate {
        node: heard_node(context, &candidate.account),
        address: show_account(&candidate.account),
        controller: show_account(&candidate.controller),
        entity: show_account(entity),
        endpoint: String::from_utf8_lossy(&candidate.endpoint).into_owned(),
        announced_at: candidate.announced_at,
        stake: at.coins(candidate.eligibility.stake),
        bonded: at.coins(candidate.eligibility.parts.bonded),
        locked_on_l1: at.coins(candidate.eligibility.parts.locked),
        hat_score: candidate.eligibility.score.get(),
        is_eligible: candidate.eligibility.suffices,
        is_verified: candidate.attested,
        is_controller_confirmed: candidate.confirmed,
        asked: candidate.asked.iter().map(show_account).collect(),
        attestation_count: candidate.approved,
        refusal_count: candidate.refused,
        is_elected: candidate.elected,
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Announcement {
    /// Whether the account could announce itself with this stake; null if no account
    /// is named.
    eligible: Option<bool>,
    /// Its reputation on chain; null as above.
    hat_score: Option<u8>,
    /// What it has bonded; null as above.
    bonded: Option<String>,
    /// What it has locked on L1 for long enough; null as above.
    locked_on_l1: Option<String>,
    /// What the call bonds besides, so that the named stake counts.
    to_bond: String,
    /// The call to sign and submit, SCALE in hex: keys stay with their owner, and a
    /// node has none that could sign it.
    call: String,
    message: &'static str,
}

/// What an account has to sign to announce itself. The declared score decides nothing
/// on chain: it is compared with the minimum, as the guide has it, and shown beside the
/// true one.
pub(super) fn announce(context: &Context, args: &Args) -> RpcResult<Announcement> {
    let at = context.at_head()?;
    let stake = args.amount(0, at.parameters.decimals)?;
    let declared = args.required::<u8>(1, "a score from 0 to 100")?;
    if declared > 100 {
        return Err(args.unexpected(1, "a score from 0 to 100"));
    }
    let endpoint = args.optional_text(2).unwrap_or_default();
    let known = match args.optional_text(3) {
        None => None,
        Some(_) => {
            let accounts = vec![account_at(&at, args, 3)?];
            context.chain.eligibility(at.head.hash, accounts)?.into_iter().next()
        }
    };
    let parts = known.map(|known| known.parts);
    if stake < at.parameters.min_sequencer_stake {
        let least = at.coins(at.parameters.min_sequencer_stake);
        return Err(Named::StakeTooLow.with(match parts {
            None => format!("at least {least}"),
            Some(parts) => format!(
                "at least {least}; {} are bonded and {} are locked on L1",
                at.coins(parts.bonded),
                at.coins(parts.locked)
            ),
        }));
    }
    if declared < at.parameters.min_sequencer_score {
        return Err(Named::ScoreTooLow.with(at.parameters.min_sequencer_score));
    }
    let share = at.parameters.min_l2_stake_share;
    let to_bond = parts.unwrap_or_default().to_bond(stake, share);
    let call = context.chain.announce_call(at.head.hash, to_bond, endpoint.as_bytes().to_vec())?;
    let call = call.ok_or_else(|| args.unexpected(2, "an address of at most 256 bytes"))?;
    let eligible =
        known.map(|known| !known.banned && known.score.get() >= at.parameters.min_sequencer_score);
    Ok(Announcement {
        eligible,
        hat_score: known.map(|known| known.score.get()),
        bonded: parts.map(|parts| at.coins(parts.bonded)),
        locked_on_l1: parts.map(|parts| at.coins(parts.locked)),
        to_bond: at.coins(to_bond),
        call: format!("0x{}", hex::encode(call)),
        message: match eligible {
            Some(false) => {
                "the chain would refuse this account: its reputation is too low, or it \
                 signed twice once"
            }
            _ => {
                "sign the call with the account that is to sequence, then set its session \
                 keys; sequencers vouch for it when the session ends"
            }
        },
    })
}
