//! Taking over from a set of sequencers that does nothing (R17.6, ADR 0035).
//!
//! - `l2_gethandover` says who may go on from the last final block, what was accepted here,
//!   and what took place.
//! - `l2_consenthandover` signs that accounts of this node go on, if a hand-over is due. It
//!   uses keys of this node's operator and has the L1 node read a block, so it is an unsafe
//!   method.
//! - `l2_createhandover` puts consents together. It asks the state and not L1: whether one is
//!   due was checked by each who consented, and is by each who accepts.
//! - `l2_accepthandover` accepts one. What it decides is which chain this node follows, so
//!   it is an unsafe method. On a node that is still below the base it cannot see what was
//!   applied by then, and when the node comes there nothing more is looked at on L1: of the
//!   condition it checks that the transaction stands there, how deep, and for how long.
//! - `l2_haltat` has this node stop at a height, and `l2_resume` follow again: operators who
//!   leave a set that goes on without applying L1 need one last block. Unsafe, likewise.

use super::{At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::{invalid_params, Named},
    hand_over_due,
};
use cascoin_consensus::hand_over::{AcceptedHandOver, DeskError};
use cascoin_l1::{
    forced_block::{ForcedInBlock, ForcedInBlockError},
    L1Error,
};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, BlockNumber, MAX_SEQUENCERS},
    hand_over::{
        Consent, HandOver, HandOverBase, HandOverError, HandOverRecord, HandOverTerms, Successor,
    },
    l1::L1Hash,
};
use codec::{DecodeAll, Encode};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use sp_core::H256;

pub(super) static HAND_OVER: Signature =
    Signature { method: "l2_gethandover", arguments: &[], required: 0 };

pub(super) static CONSENT: Signature = Signature {
    method: "l2_consenthandover",
    arguments: &["blockhash", "txid", "setid"],
    required: 2,
};

pub(super) static CREATE: Signature = Signature {
    method: "l2_createhandover",
    arguments: &["blockhash", "txid", "consents", "setid"],
    required: 3,
};

pub(super) static ACCEPT: Signature =
    Signature { method: "l2_accepthandover", arguments: &["handover", "withoutl1"], required: 1 };

pub(super) static HALT: Signature =
    Signature { method: "l2_haltat", arguments: &["blocknumber"], required: 1 };

pub(super) static RESUME: Signature =
    Signature { method: "l2_resume", arguments: &[], required: 0 };

/// From where a hand-over goes on, and why.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Base {
    block_number: BlockNumber,
    block_hash: BlockHash,
    /// The id that the new set gets.
    set_id: u64,
    /// The L1 block that the old set did not apply.
    l1_block: L1Hash,
    /// The forced transaction in it.
    txid: L1Hash,
}

impl From<HandOverBase> for Base {
    fn from(base: HandOverBase) -> Self {
        Self {
            block_number: base.number,
            block_hash: base.hash,
            set_id: base.set_id,
            l1_block: base.l1_block,
            txid: base.txid,
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandOvers {
    block_number: BlockNumber,
    block_hash: BlockHash,
    #[serde(flatten)]
    finality: Finality,
    /// What one from this block must fit.
    terms: Terms,
    /// When one is due, as far as this chain says it.
    due: Due,
    /// The last block that this node takes, if its operator said so.
    halts_at: Option<BlockNumber>,
    /// What this node's operator accepted, oldest first. No other node need know of it.
    accepted: Vec<Accepted>,
    /// The last one that took place on this chain.
    last: Option<Last>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Terms {
    /// Least id of the new set.
    set_id: u64,
    /// Least accounts of it.
    min_accounts: u32,
    /// Most accounts of it.
    max_accounts: u32,
    /// Who may go on.
    successors: Vec<ShownSuccessor>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSuccessor {
    address: String,
    /// Whose seats it takes, by all that is known. Nothing caps those of one entity here.
    entity: String,
    /// The relay key that its consent is signed with.
    relay: String,
    /// Weight in the ranking of leaders.
    weight: u64,
    /// Whether it is in the set in force.
    is_in_force: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Due {
    /// The forced transaction must stand in an L1 block above this height.
    applied_height: u32,
    /// That block must have so many confirmations.
    confirmations_needed: u32,
    /// The tip's median time must be so many seconds above its own; `null` if the chain has
    /// no such deadline.
    after_seconds: Option<u64>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accepted {
    /// What operators compare.
    id: H256,
    base: Base,
    /// Who goes on.
    accounts: Vec<String>,
    /// Whether its set certifies the block behind the base here.
    in_force: bool,
    /// For `l2_accepthandover` on other nodes, SCALE in hex.
    hand_over: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    id: H256,
    base: Base,
    /// Size of the set that went on.
    members: u32,
}

impl From<HandOverTerms> for Terms {
    fn from(terms: HandOverTerms) -> Self {
        let shown = |one: Successor| ShownSuccessor {
            address: show_account(&one.account),
            entity: show_account(&one.entity),
            relay: in_hex(&one.relay.0),
            weight: one.weight,
            is_in_force: one.in_force,
        };
        Self {
            set_id: terms.set_id,
            min_accounts: terms.size.0,
            max_accounts: terms.size.1,
            successors: terms.successors.into_iter().map(shown).collect(),
        }
    }
}

impl From<AcceptedHandOver> for Accepted {
    fn from(AcceptedHandOver { hand_over, in_force }: AcceptedHandOver) -> Self {
        Self {
            id: hand_over.id(),
            base: hand_over.base.into(),
            accounts: addresses(&hand_over),
            in_force,
            hand_over: in_hex(&hand_over.encode()),
        }
    }
}

impl From<HandOverRecord> for Last {
    fn from(record: HandOverRecord) -> Self {
        Self { id: record.id, base: record.base.into(), members: record.members }
    }
}

fn in_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn addresses(hand_over: &HandOver) -> Vec<String> {
    hand_over.accounts().map(show_account).collect()
}

pub(super) fn hand_over(context: &Context, _: &Args) -> RpcResult<HandOvers> {
    let at = context.at_head()?;
    Ok(HandOvers {
        block_number: at.head.number,
        block_hash: at.head.hash,
        finality: CERTIFIED,
        terms: context.chain.hand_over_terms(at.head.hash)?.into(),
        due: Due {
            applied_height: context.chain.relay(at.head.hash)?.applied_height,
            confirmations_needed: at.parameters.l1_confirmations,
            after_seconds: hand_over_due::second_deadline_s(&at.parameters),
        },
        halts_at: context.hand_over.halts_at(),
        accepted: context.hand_over.accepted().into_iter().map(Accepted::from).collect(),
        last: context.chain.last_hand_over(at.head.hash)?.map(Last::from),
    })
}

/// The base that the first two arguments, and the set id at `position`, name.
fn base(context: &Context, at: &At, args: &Args, position: usize) -> RpcResult<HandOverBase> {
    let l1_block = args.required(0, "the hash of an L1 block")?;
    let txid = args.required(1, "the id of an L1 transaction")?;
    let asked = args.optional(position, "the id of the new set (a number)")?;
    let least = context.chain.hand_over_terms(at.head.hash)?.set_id;
    let set_id = asked.unwrap_or(least);
    if set_id < least {
        return Err(args.unexpected(position, &format!("{least} or more")));
    }
    Ok(HandOverBase { number: at.head.number, hash: at.head.hash, set_id, l1_block, txid })
}

/// What L1 shows, if a hand-over is due for it. What is applied is asked of this node's last final
/// block. Where that is below the base it says nothing: nearly all that stands on L1 is not applied
/// there yet. That the set did not apply it by the base has then been judged by others.
fn look(context: &Context, at: &At, base: &HandOverBase) -> RpcResult<ForcedInBlock> {
    let found = context
        .l1()?
        .forced_in_block(&base.l1_block, &base.txid, at.parameters.chain_id)
        .map_err(unseen)?;
    let applied = context.chain.relay(at.head.hash)?.applied_height;
    hand_over_due::check(&found, applied, &at.parameters)
        .map_err(|reason| Named::HandOverNotDue.with(reason))?;
    Ok(found)
}

/// Why L1 does not show it, by whose fault it is.
fn unseen(error: ForcedInBlockError) -> ErrorObjectOwned {
    use ForcedInBlockError as Why;
    match error {
        Why::L1(error @ (L1Error::Rpc { .. } | L1Error::Pruned { .. })) => {
            Named::L1Refused.with(error)
        }
        Why::L1(_) | Why::Moving => Named::L1Unavailable.with(error),
        Why::UnknownBlock(_)
        | Why::NotOnBestChain
        | Why::NotInBlock
        | Why::NotForced
        | Why::CrowdedOut => Named::HandOverNotDue.with(error),
    }
}

/// Why the state does not take a hand-over.
fn refusal(reason: &HandOverError) -> String {
    match reason {
        HandOverError::WrongBlock => "it goes on from another block".to_owned(),
        HandOverError::SetId(least) => {
            format!("its set id must be {least}, or one of the few above it")
        }
        HandOverError::Unordered => {
            "its accounts do not rise, or one is there twice; l2_createhandover orders them"
                .to_owned()
        }
        HandOverError::Size(least, most) => {
            format!("from {least} to {most} accounts must consent")
        }
        HandOverError::NotEligible(account) => format!(
            "{} may not go on: it has no seat and is no attested candidate with stake, reputation \
             and keys, or it is banned, or its keys are barred",
            show_account(account)
        ),
        HandOverError::BadSignature(account) => format!(
            "the consent of {} is for another block, set id or L1 transaction, or not signed by \
             the relay key that is registered for it: have its operator consent again",
            show_account(account)
        ),
    }
}

/// Why this node does not do it.
fn failure(error: DeskError) -> ErrorObjectOwned {
    let why = match error {
        DeskError::NotTheHead { head: (number, hash) } => {
            format!("this node's last final block is {number} ({hash:?}) by now; try again")
        }
        DeskError::NoKeys => {
            "this node has the relay key of none of those who may go on (l2_gethandover lists them)"
                .to_owned()
        }
        DeskError::Refused(reason) => refusal(&reason),
        DeskError::OtherAccepted(id) => format!(
            "another one from this block, with this set id or a higher one, is accepted here: \
             {id:?}. It stays; operators who want others to go on agree on a higher set id"
        ),
        DeskError::Above { number, hash } => format!(
            "this node has a final block above that: {number} ({hash:?}), and what is final here \
             is never undone. To follow a hand-over from below it, begin with an empty database \
             and accept it before the node is at its base"
        ),
        DeskError::Decided { number, hash } => format!(
            "this node has decided on a block above that: {number} ({hash:?}), which is about to be \
             final. Try again in a moment: if the answer is the same, the node's log says what \
             keeps it from being imported, and a restart tries it anew"
        ),
        DeskError::Unknown(detail) => return Named::RuntimeError.with(detail),
    };
    Named::HandOverRefused.with(why)
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consented {
    base: Base,
    /// Whose relay keys this node has.
    accounts: Vec<String>,
    /// For `l2_createhandover`, SCALE in hex, separated by commas.
    consents: String,
    /// Height of the L1 block.
    l1_height: u32,
    confirmations: u32,
    /// Seconds that it is old, by L1's median times.
    l1_age_seconds: u32,
    message: &'static str,
}

pub(super) fn consent(context: &Context, args: &Args) -> RpcResult<Consented> {
    let at = context.at_head()?;
    let base = base(context, &at, args, 2)?;
    // Who was told to stop here sees others go on.
    let stands = context.hand_over.halts_at() == Some(at.head.number);
    if !stands && context.sync.is_major_syncing() {
        return Err(Named::HandOverRefused
            .with("this node is still catching up, and its last final block is not the last one"));
    }
    let found = look(context, &at, &base)?;
    let consents = context.hand_over.consent(&base).map_err(failure)?;
    Ok(Consented {
        base: base.into(),
        accounts: consents.iter().map(|one| show_account(&one.account)).collect(),
        consents: consents.iter().map(|one| in_hex(&one.encode())).collect::<Vec<_>>().join(","),
        l1_height: found.height,
        confirmations: found.confirmations,
        l1_age_seconds: found.tip_median_time.saturating_sub(found.median_time),
        message: "pass the consents on to whoever creates the hand-over; they bind this node to \
                  nothing until its operator accepts one",
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    /// What operators compare.
    id: H256,
    base: Base,
    /// Who goes on.
    accounts: Vec<String>,
    /// For `l2_accepthandover`, SCALE in hex.
    hand_over: String,
    message: &'static str,
}

pub(super) fn create(context: &Context, args: &Args) -> RpcResult<Created> {
    // Anybody may call it: what cannot be read costs no look at the state.
    let consents = consents(args, 2)?
        .try_into()
        .map_err(|_| args.wrong(2, "more consents than a set has seats"))?;
    let at = context.at_head()?;
    let base = base(context, &at, args, 3)?;
    let hand_over = HandOver { base, consents };
    context
        .chain
        .hand_over_set(at.head.hash, hand_over.clone())?
        .map_err(|reason| Named::HandOverRefused.with(refusal(&reason)))?;
    Ok(Created {
        id: hand_over.id(),
        base: base.into(),
        accounts: addresses(&hand_over),
        hand_over: in_hex(&hand_over.encode()),
        message: "compare the id with all other operators, by another way than the one by which \
                  this came, before anybody accepts it with l2_accepthandover; whether a \
                  hand-over is due was not looked at here",
    })
}

/// Consents as `l2_consenthandover` gives them, those of several operators one behind the
/// other; by account, each once.
fn consents(args: &Args, position: usize) -> RpcResult<Vec<Consent>> {
    let is_between = |letter: char| letter == ',' || letter.is_whitespace();
    let texts = args.text(position).split(is_between).filter(|text| !text.is_empty());
    let mut consents: Vec<Consent> = Vec::new();
    for text in texts {
        let consent: Consent = from_hex(text)
            .ok_or_else(|| args.unexpected(position, "consents in hex, separated by commas"))?;
        // One and the same may come by two ways.
        if !consents.contains(&consent) {
            consents.push(consent);
        }
        if consents.len() > MAX_SEQUENCERS as usize {
            return Err(args.wrong(position, "more consents than a set has seats"));
        }
    }
    consents.sort_by(|one, other| one.account.cmp(&other.account));
    let twice = consents.windows(2).find(|pair| pair[0].account == pair[1].account);
    if let Some(account) = twice.map(|pair| &pair[0].account) {
        return Err(two_of(account));
    }
    Ok(consents)
}

fn two_of(account: &AccountId) -> ErrorObjectOwned {
    let account = show_account(account);
    invalid_params(format!(
        "there are two consents of {account} that differ: leave out the one that is for another \
         block, set id or L1 transaction"
    ))
}

fn from_hex<T: DecodeAll>(text: &str) -> Option<T> {
    let text = text.trim();
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
    T::decode_all(&mut &bytes[..]).ok()
}

pub(super) fn accept(context: &Context, args: &Args) -> RpcResult<Accepted> {
    let hand_over: HandOver = from_hex(args.text(0))
        .ok_or_else(|| args.unexpected(0, "a hand-over in hex, as l2_createhandover gives it"))?;
    let without_l1 = args.flag(1, false)?;
    let id = hand_over.id();
    // If it is known its set may have applied L1 since. The signatures in it may be others, so
    // the desk sees it all the same.
    let is_known = context.hand_over.accepted().iter().any(|known| known.hand_over.id() == id);
    if !is_known && !without_l1 {
        let at = context.at_head()?;
        if context.l1.is_none() {
            return Err(Named::L1NotConfigured.with(
                "or give true as \"withoutl1\" to accept what this node cannot check: that the \
                 sequencers did not bring what stands on L1",
            ));
        }
        look(context, &at, &hand_over.base)?;
    }
    Ok(context.hand_over.accept(hand_over).map_err(failure)?.into())
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Halted {
    block_number: BlockNumber,
    block_hash: BlockHash,
    #[serde(flatten)]
    finality: Finality,
    /// The last block that this node takes, if any is.
    halts_at: Option<BlockNumber>,
}

impl Halted {
    fn of(context: &Context) -> RpcResult<Self> {
        let head = context.at_head()?.head;
        Ok(Self {
            block_number: head.number,
            block_hash: head.hash,
            finality: CERTIFIED,
            halts_at: context.hand_over.halts_at(),
        })
    }
}

pub(super) fn halt(context: &Context, args: &Args) -> RpcResult<Halted> {
    let height = args.required(0, "the number of a block")?;
    context.hand_over.halt_at(Some(height)).map_err(failure)?;
    Halted::of(context)
}

pub(super) fn resume(context: &Context, _: &Args) -> RpcResult<Halted> {
    context.hand_over.halt_at(None).map_err(failure)?;
    Halted::of(context)
}
