//! `l2_getsequencers`, `l2_getleader` and `l2_getnetworkstatus`.

use super::{
    candidates::{self, Candidate, HeardNode},
    revocation::{self, NamedKey},
    Context, RpcResult,
};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    apis::SequencerParticipation,
    chain::{quorum, AccountId, SequencerSet},
};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) static SEQUENCERS: Signature =
    Signature { method: "l2_getsequencers", arguments: &["eligibleonly"], required: 0 };
pub(super) static NETWORK_STATUS: Signature =
    Signature { method: "l2_getnetworkstatus", arguments: &[], required: 0 };
pub(super) static LEADER: Signature =
    Signature { method: "l2_getleader", arguments: &[], required: 0 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sequencers {
    set_id: u64,
    count: usize,
    votes_needed: usize,
    sequencers: Vec<Sequencer>,
    /// Who announced itself, in the set or not; of `eligibleonly` those that could be
    /// elected now.
    candidates: Vec<Candidate>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sequencer {
    index: usize,
    address: String,
    /// Whose seats it takes, by all that is known: those with the same entity share the
    /// seats of one (R22.3).
    entity: String,
    /// Whether its reputation and stake are those of a sequencer. Who was appointed by
    /// genesis or governance needs no stake.
    is_eligible: bool,
    hat_score: u8,
    /// What of its stake counts.
    stake: String,
    /// What it has bonded on this chain.
    bonded: String,
    /// What it has locked on L1 for long enough. It counts as far as what is bonded
    /// covers it.
    locked_on_l1: String,
    /// Ranking weight.
    weight: u64,
    /// Whether it leads no round and signs nothing but votes, because it signed twice or
    /// its keys were revoked.
    is_barred: bool,
    /// The L1 key that revokes its session keys.
    revocation_key: NamedKey,
    /// Whether this node reaches it now; null on a node that does not sequence.
    is_reachable: Option<bool>,
    is_local_node: bool,
    /// What its node said of itself last, to this node; null if nothing lately.
    node: Option<HeardNode>,
    /// Blocks it made since it joined the set.
    blocks_produced: u64,
    /// Heights at which it led a round and another made the block.
    blocks_missed: u64,
    /// Blocks it signed, as far as the next leader saw, and did not sign.
    votes_cast: u64,
    votes_missed: u64,
    /// Share of the blocks of the last session and the current one that it signed,
    /// percent, with one decimal.
    uptime_percent: f64,
    /// For how long it has kept L1 from being attested by casting no relay vote; at
    /// `relayWithholdingSeconds` of `l2_getchaininfo` it loses its seat (R17.6).
    relay_votes_withheld_seconds: u64,
    keys: Keys,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    aura: String,
    grandpa: String,
    relay: String,
    vault: String,
}

pub(super) fn sequencers(context: &Context, args: &Args) -> RpcResult<Sequencers> {
    let eligible_only = args.flag(0, false)?;
    let at = context.at_head()?;
    let head = at.head.hash;
    let set = context.chain.sequencers(head)?;
    let participation = context.chain.participation(head)?;
    let withheld = context.chain.relay(head)?.withheld;
    let withheld_ms = |account: &AccountId| {
        withheld.iter().find(|one| one.account == *account).map_or(0, |one| one.ms)
    };
    let engine = context.engine.status();
    let hex = |key: &[u8]| format!("0x{}", hex::encode(key));
    let nothing = |account: &AccountId| SequencerParticipation {
        account: account.clone(),
        produced: 0,
        missed_proposals: 0,
        votes: 0,
        missed_votes: 0,
        uptime_permille: 1_000,
    };
    let members = set.members.iter().enumerate().map(|(index, member)| {
        // Both are of one state and one order; by account, so that no index can slip.
        let took_part = participation.iter().find(|one| one.account == member.account).cloned();
        let took_part = took_part.unwrap_or_else(|| nothing(&member.account));
        (index, member, took_part)
    });
    let accounts: Vec<_> = set.members.iter().map(|member| member.account.clone()).collect();
    let revocation_keys = context.chain.revocation_keys(head, accounts.clone())?;
    let eligibilities = context.chain.eligibility(head, accounts.clone())?;
    let entities = context.chain.entities(head, accounts)?;
    let members = members.zip(eligibilities).zip(revocation_keys).zip(entities);
    let members =
        members.map(|((((index, member, took_part), eligibility), key), entity)| Sequencer {
            index,
            address: show_account(&member.account),
            entity: show_account(&entity),
            node: candidates::heard_node(context, &member.account),
            blocks_produced: took_part.produced,
            blocks_missed: took_part.missed_proposals,
            votes_cast: took_part.votes,
            votes_missed: took_part.missed_votes,
            uptime_percent: f64::from(took_part.uptime_permille) / 10.0,
            relay_votes_withheld_seconds: withheld_ms(&member.account) / 1_000,
            is_eligible: eligibility.suffices,
            hat_score: eligibility.score.get(),
            stake: at.coins(eligibility.stake),
            bonded: at.coins(eligibility.parts.bonded),
            locked_on_l1: at.coins(eligibility.parts.locked),
            weight: member.weight,
            is_barred: member.barred,
            revocation_key: revocation::show(&at, key),
            is_reachable: engine
                .sequencing
                .then(|| engine.reachable.iter().any(|peer| usize::from(*peer) == index)),
            is_local_node: engine.sequencing && engine.index.map(usize::from) == Some(index),
            keys: Keys {
                aura: hex(&member.aura.0),
                grandpa: hex(&member.grandpa.0),
                relay: hex(&member.relay.0),
                vault: hex(&member.vault.0),
            },
        });
    let candidates = context.chain.candidates(head)?;
    let accounts = candidates.iter().map(|one| one.account.clone()).collect();
    let candidates = candidates.into_iter().zip(context.chain.entities(head, accounts)?);
    Ok(Sequencers {
        set_id: set.set_id,
        count: set.members.len(),
        votes_needed: quorum(set.members.len()),
        sequencers: members.collect(),
        candidates: candidates
            .filter(|(one, _)| !eligible_only || (one.eligibility.suffices && one.attested))
            .map(|(one, entity)| candidates::show(context, &at, one, &entity))
            .collect(),
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkStatus {
    /// Members of the current set.
    sequencer_count: usize,
    votes_needed: usize,
    /// Members this node reaches, itself included; null on a node that does not
    /// sequence, which knows only its own peers.
    reachable_count: Option<usize>,
    /// Those it does not reach, by their place in the set.
    unreachable: Option<Vec<usize>>,
    /// Whether it reaches so few that no block can be made on its side.
    has_quorum: Option<bool>,
    /// Whether it reaches fewer than half.
    partitioned: Option<bool>,
    /// The last final block, and milliseconds since it was made, by this node's
    /// clock.
    final_block: u32,
    final_block_age: u64,
    message: &'static str,
}

pub(super) fn network_status(context: &Context, _: &Args) -> RpcResult<NetworkStatus> {
    let at = context.at_head()?;
    let count = context.chain.sequencers(at.head.hash)?.members.len();
    let header = context.chain.header(at.head.hash)?;
    let made = header.as_ref().and_then(super::block::timestamp).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let engine = context.engine.status();
    let reached = engine.sequencing.then_some(&engine.reachable);
    let reaches = |index: &usize| engine.reachable.iter().any(|peer| usize::from(*peer) == *index);
    let votes_needed = quorum(count);
    let partitioned = reached.map(|reached| 2 * reached.len() < count);
    let has_quorum = reached.map(|reached| reached.len() >= votes_needed);
    Ok(NetworkStatus {
        sequencer_count: count,
        votes_needed,
        reachable_count: reached.map(Vec::len),
        unreachable: reached.map(|_| (0..count).filter(|index| !reaches(index)).collect()),
        has_quorum,
        partitioned,
        final_block: at.head.number,
        final_block_age: u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(made),
        message: match (partitioned, has_quorum) {
            (Some(true), _) => {
                "network partition: fewer than half of the sequencers are reachable; what is final \
                 stays final, new transactions wait"
            }
            (_, Some(false)) => {
                "too few sequencers are reachable to make blocks; what is final stays final, new \
                 transactions wait"
            }
            (_, Some(true)) => "a quorum of the sequencers is reachable",
            _ => "this node does not sequence: it follows its peers",
        },
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Leader {
    has_leader: bool,
    address: Option<String>,
    index: Option<u16>,
    /// The height it leads: the next block.
    height: u32,
    round: u16,
    term: u32,
    valid_until_block: u32,
    is_local_node: bool,
    failover_in_progress: bool,
    backup_count: usize,
    backup_sequencers: Vec<Backup>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    index: u16,
    address: Option<String>,
}

pub(super) fn leader(context: &Context, _: &Args) -> RpcResult<Leader> {
    let at = context.at_head()?;
    let set = context.chain.sequencers(at.head.hash)?;
    let leaders = context.chain.leaders()?;
    let engine = context.engine.status();
    // Only the engine knows the round, and only of the height it decides.
    let round = if engine.height == leaders.height { engine.round } else { 0 };
    let position = usize::from(round).checked_rem(leaders.order.len()).unwrap_or(0);
    let (tried, rest) = leaders.order.split_at(position);
    let (index, backups) = match rest.split_first() {
        Some((index, after)) => (Some(*index), after.iter().chain(tried).copied().collect()),
        None => (None, Vec::new()),
    };
    let last = (leaders.term.saturating_add(1)).saturating_mul(at.parameters.blocks_per_leader);
    Ok(Leader {
        has_leader: index.is_some(),
        address: index.and_then(|index| address(&set, index)),
        index,
        height: leaders.height,
        round,
        term: leaders.term,
        valid_until_block: last,
        is_local_node: index.is_some() && engine.sequencing && engine.index == index,
        failover_in_progress: round > 0,
        backup_count: backups.len(),
        backup_sequencers: backups
            .into_iter()
            .map(|index| Backup { index, address: address(&set, index) })
            .collect(),
    })
}

fn address(set: &SequencerSet, index: u16) -> Option<String> {
    set.members.get(usize::from(index)).map(|member| show_account(&member.account))
}
