//! Runtime APIs that the node (and anybody over `state_call`) uses.

use crate::{
    chain::{AccountId, Balance, BlockNumber, ChainParameters, Moment, SequencerSet},
    consensus::{DoubleSignEvidence, MessageKind},
    hand_over::{HandOver, HandOverError, HandOverRecord, HandOverTerms},
    l1::{
        burn::BurnRejection, common_inputs::CommonInputsProof, inclusion::InclusionProof,
        registration::ChainName, L1Hash, OutPoint,
    },
    liveness::LivenessReport,
    messages::MessageReport,
    recovery::{
        Fall, FallenTransaction, Past, RecoveryOverview, RecoveryStatus, RecoverySubject,
        RecoveryVote, Verdict, Wanted,
    },
    registry::{ChainDefinition, ChainStatus, ListedChain},
    relay::{EventPage, L1BlockDigest, PageProof, RelayVote},
    reputation::{
        attestation::ScoreRound,
        export::{ReputationExport, SignedExport},
        rule::Breakdown,
        Day, Score,
    },
    rewards::RewardsReport,
    sequencers::{NodeAttestation, RevocationKey, StakeParts},
    time::{L1Time, TimeBounds},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ecdsa, ed25519, H160, H256};

/// Where the relay stands.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct RelayStatus {
    /// The last attested L1 block: more than two thirds voted for it. The next
    /// vote starts one above.
    pub attested: L1BlockDigest,
    /// The last L1 block all of whose events are applied.
    pub applied_height: u32,
    /// Its hash.
    pub applied_hash: L1Hash,
    /// The page that is due next, if attested events wait.
    pub next_page: Option<PageCursor>,
    /// Open votes for the next heights.
    pub open_votes: Vec<OpenVote>,
    /// Set when more than two thirds attest a block that does not stand on the
    /// last attested one: L1 reorganised below what is attested. The relay waits
    /// until they attest where L1 forked.
    pub parent_mismatch: Option<ParentMismatch>,
    /// Votes of the sequencers that L1 left the attested branch, as many as agree most.
    pub fork_votes: u32,
    /// Set after applied L1 blocks were replaced: the L1 height at which burns that have
    /// not come again are taken as gone. Nothing is minted before.
    pub recovers_until: Option<u32>,
    /// L1's time as L2 knows it.
    pub time: L1Time,
    /// Who has kept L1 from being attested by casting no vote, and for how long (R17.6).
    pub withheld: Vec<Withheld>,
}

/// For how long an account has withheld relay votes while more than half agreed. It shrinks
/// while the account votes, and its seat is lost at `relay_withholding_s`.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Withheld {
    /// The account.
    pub account: AccountId,
    /// How long, milliseconds of blocks at their usual distance.
    pub ms: Moment,
}

/// The page that must be delivered next.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct PageCursor {
    /// Its L1 block's height.
    pub height: u32,
    /// Its L1 block's hash.
    pub hash: L1Hash,
    /// The page's index.
    pub page: u32,
    /// The root it must stand under.
    pub pages_root: H256,
}

/// A digest that has votes but no quorum yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenVote {
    /// The digest voted for.
    pub digest: L1BlockDigest,
    /// Indices of the voters.
    pub voters: Vec<u16>,
    /// L2 time of its first vote, or of its re-opening after a time-out.
    pub since: Moment,
}

/// More than two thirds see another L1 history than the one applied.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ParentMismatch {
    /// Height of the first block that does not fit.
    pub height: u32,
    /// What the relay holds below it.
    pub expected: L1Hash,
    /// What the voters see below it.
    pub attested: L1Hash,
}

/// What became of a burn (ledger O6; names as RPC shows them).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub enum BurnOutcome {
    /// Credited to its recipient in full.
    Minted,
    /// Not valid, with the reason; or rejected by governance while it waited, and then
    /// perhaps minted in part.
    Rejected(BurnRejection),
    /// Valid, and waits to be credited, or what is left of it does ([`BurnWait`] says
    /// for what). It has its turn again and again and is never lost, unless governance
    /// rejects it.
    Deferred,
    /// L1 dropped its block and did not bring it again in time: what was minted is taken
    /// back, as far as the recipient has it. The rest, which the record still calls
    /// minted, is a deficit. If L1 brings it after all it waits to be credited again.
    Reverted,
}

/// What a valid burn waits for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitCause {
    /// It brought as much today as one burn may (`max_deposit`).
    TransactionLimit,
    /// Its recipient got as much today as one address may (`max_daily_deposit`).
    AddressLimit,
    /// As much was minted today as may be for all together (`max_daily_mint`).
    ChainLimit,
    /// Others that wait have their turn before it.
    Turn,
    /// The supply invariant was violated and minting stands.
    Halted,
    /// Governance stopped minting.
    Stopped,
    /// The quorum sees another L1 history below what is attested: the burn may not be on
    /// L1 any more.
    L1Disputed,
    /// Fewer sequencers are in the set than the chain wants (`min_sequencers`).
    TooFewSequencers,
    /// The credit failed. It is tried again on the next day.
    CreditFailed,
    /// The chain is in an emergency (R12.5).
    Emergency,
}

impl WaitCause {
    /// Whether it follows from a limit on deposits (`BRIDGE_DEPOSIT_LIMIT`).
    pub const fn is_limit(self) -> bool {
        matches!(self, Self::TransactionLimit | Self::AddressLimit | Self::ChainLimit)
    }
}

/// How a valid burn waits, by the limits in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnWait {
    /// For what.
    pub cause: WaitCause,
    /// Burns before it in the queue.
    pub place: u64,
    /// L2 time before which no (more) of it is minted; `None` if no time is set.
    pub next_at: Option<Moment>,
    /// L2 time before which it is not minted in full; `None` if no time is set.
    pub complete_at: Option<Moment>,
}

/// Whether anything is minted, for anybody.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct MintingStatus {
    /// Whether governance stopped minting. It can rest for another cause besides, and then
    /// that is told first.
    pub stopped: bool,
    /// Why nothing is minted; `None` if it is.
    pub rests_for: Option<WaitCause>,
}

/// One credit: a burn, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintRecord {
    /// The burn on L1.
    pub outpoint: OutPoint,
    /// What was credited, in base units.
    pub amount: u64,
    /// To whom.
    pub recipient: Option<AccountId>,
    /// Height of the burn's L1 block.
    pub l1_height: u32,
    /// Hash of the burn's L1 block.
    pub l1_hash: L1Hash,
    /// L2 block that credited it.
    pub block: BlockNumber,
    /// Time of that block.
    pub time: Moment,
}

/// How coins left circulation on L1.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Peg {
    /// They were destroyed, by a burn or a message.
    #[default]
    Burn,
    /// They are in the vault (R4.1).
    Vault,
}

/// What L2 knows of one burn output, or of one output of a deposit.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct BurnRecord {
    /// The output on L1.
    pub outpoint: OutPoint,
    /// Whether it destroyed its coins or holds them.
    pub peg: Peg,
    /// Its value: what it destroyed or holds, in base units.
    pub value: u64,
    /// What of that is credited so far, in base units.
    pub minted: u64,
    /// What its payload said, in base units; 0 where it could not be read.
    pub encoded_amount: u64,
    /// Who was, or would have been, credited.
    pub recipient: Option<AccountId>,
    /// What became of it.
    pub outcome: BurnOutcome,
    /// Height of its L1 block.
    pub l1_height: u32,
    /// Hash of its L1 block.
    pub l1_hash: L1Hash,
    /// L2 block that applied it, or that credited (more of) it last.
    pub block: BlockNumber,
    /// Time of that block.
    pub time: Moment,
}

/// The supply and what it must equal (ledger O7), in base units.
///
/// Valid means `issuance + burned_on_l2 == genesis + minted` with a
/// `burned_on_l2` that only grew, and no block raised the issuance by more than
/// it minted.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SupplyReport {
    /// All coins on L2.
    pub issuance: Balance,
    /// Endowments of the genesis block.
    pub genesis: Balance,
    /// Minted for burns and deposits, less what was taken back of those that L1 dropped.
    pub minted: Balance,
    /// What of that deposits in the vault on L1 back: the rest is backed by what was
    /// destroyed there.
    pub vaulted: Balance,
    /// Destroyed on L2, ever: fees burned, dust, slashes.
    pub burned_on_l2: Balance,
    /// Burns minted in full.
    pub burn_count: u64,
    /// Burns rejected.
    pub rejected_count: u64,
    /// What was taken back of burns that L1 dropped, ever.
    pub clawed_back: Balance,
    /// What L1 dropped and could not be taken back: these coins have no backing. Nothing
    /// may be withdrawn to L1 while there are any.
    pub deficit: Balance,
    /// Whether the invariant holds.
    pub valid: bool,
}

/// A double sign that the chain has established (`SEQ_DOUBLE_SIGN`).
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct DoubleSignRecord {
    /// Whose key it was.
    pub offender: AccountId,
    /// The grandpa key that signed twice.
    pub key: ed25519::Public,
    /// The set in which it signed.
    pub set_id: u64,
    /// The height of the two messages.
    pub height: BlockNumber,
    /// Their round.
    pub round: u16,
    /// Their kind.
    pub kind: MessageKind,
    /// Names the offence ([`DoubleSignEvidence::id`]).
    pub id: H256,
    /// L2 block in which it was established.
    pub block: BlockNumber,
}

/// What a report of some evidence would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum EvidenceStanding {
    /// It would be taken.
    #[codec(index = 0)]
    Wanted,
    /// A double sign of the same sequencer in the same set is on record: nothing
    /// more follows from this one.
    #[codec(index = 1)]
    Reported,
    /// Its set is not in force yet, as far as this state knows.
    #[codec(index = 2)]
    NotYet,
    /// It will never be taken: its set is forgotten, or it proves nothing.
    #[codec(index = 3)]
    Void,
}

/// How a sequencer of the set in force took part, since it joined the set.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SequencerParticipation {
    /// The sequencer.
    pub account: AccountId,
    /// Blocks it made.
    pub produced: u64,
    /// Heights at which it led a round and another made the block.
    pub missed_proposals: u64,
    /// Blocks of others and its own that it signed, as far as the next leader saw.
    pub votes: u64,
    /// Blocks that it did not sign.
    pub missed_votes: u64,
    /// Share of the blocks of the last session and the current one that it signed,
    /// in thousandths, rounded down; 1,000 while there is none.
    pub uptime_permille: u16,
}

/// An account's reputation and what it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReputationReport {
    /// The score and its parts.
    pub breakdown: Breakdown,
    /// Whether its transactions count as final for their receivers at once (R6.1).
    pub instant_finality: bool,
    /// Transactions on L2, as far as inactivity has not made them forgotten.
    pub transactions: u32,
    /// Those of them whose call failed.
    pub failed: u32,
    /// What its transfers moved, base units.
    pub volume: Balance,
    /// Different recipients, at least.
    pub partners: u32,
    /// The L1 address (HASH160 of a key) that it proved to hold.
    pub l1_address: Option<H160>,
    /// Day of the first transaction since 1970; 0 before it.
    pub first_day: Day,
    /// Day of the last one.
    pub last_day: Day,
}

/// The batches of reputations that wait for L1 (R10.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ReputationExports {
    /// Sequence number of the oldest batch that is kept; one more than `last` if none is.
    pub oldest: u32,
    /// Sequence number of the batch that was made last; 0 if none was.
    pub last: u32,
    /// Entries that the next batch has so far.
    pub drafted: u32,
    /// Batches that are signed and wait for settlement, as many as were asked for.
    pub signed: Vec<SignedExport>,
    /// The last batch, if it is not signed yet.
    pub in_signing: Option<OpenExport>,
}

/// A batch that is being signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OpenExport {
    /// The batch.
    pub export: ReputationExport,
    /// The set that signs it.
    pub set_id: u64,
    /// Indices of those that have.
    pub signers: Vec<u16>,
}

/// An outage of which an account is compensated, or will be (R25.6).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OutageClaim<Extrinsic> {
    /// The outage's number.
    pub outage: u32,
    /// What was burned of the account's fees, base units.
    pub compensable: Balance,
    /// How it stands.
    pub standing: ClaimStanding<Extrinsic>,
}

/// How a claim stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ClaimStanding<Extrinsic> {
    /// The outage is not settled yet, so nobody knows what the fund has for it.
    #[codec(index = 0)]
    Open {
        /// The last block whose fees are compensated.
        until: BlockNumber,
    },
    /// It can be claimed.
    #[codec(index = 1)]
    Claimable {
        /// What is paid, base units.
        amount: Balance,
        /// The last block in which it can be claimed.
        until: BlockNumber,
        /// The transaction that claims it. Nobody signs it and nobody pays for it, so
        /// anybody may send it.
        transaction: Extrinsic,
    },
}

/// Whether an account may sequence, by what the chain knows of it
/// (`SEQ_NOT_ELIGIBLE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Eligibility {
    /// Its reputation now.
    pub score: Score,
    /// What of its stake counts now, base units.
    pub stake: Balance,
    /// Where its stake lies.
    pub parts: StakeParts,
    /// Whether it was caught signing twice.
    pub banned: bool,
    /// Whether score, stake and record suffice.
    pub suffices: bool,
}

/// Somebody who announced itself as a sequencer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateInfo {
    /// Its account.
    pub account: AccountId,
    /// Who controls it, as it declares.
    pub controller: AccountId,
    /// Where its node is reached, as it declares: a multiaddress in UTF-8.
    pub endpoint: Vec<u8>,
    /// The block of its announcement.
    pub announced_at: BlockNumber,
    /// What the chain knows of it.
    pub eligibility: Eligibility,
    /// Whether a sample of sequencers vouched for it.
    pub attested: bool,
    /// Whether the controller says so, too.
    pub confirmed: bool,
    /// Accounts of the sequencers that are asked about it now.
    pub asked: Vec<AccountId>,
    /// How many of them said yes.
    pub approved: u32,
    /// How many said no.
    pub refused: u32,
    /// Whether it has a seat in the next set.
    pub elected: bool,
}

/// Whose announcements are to be believed, and signed with which key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Announcer {
    /// The account.
    pub account: AccountId,
    /// The relay key that it registered last.
    pub relay: ed25519::Public,
}

/// A poll that sequencers answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OpenPoll {
    /// About whom.
    pub candidate: AccountId,
    /// The session in which it was opened.
    pub opened: u32,
    /// Accounts that are asked and have not answered.
    pub waiting_for: Vec<AccountId>,
}

/// A transaction that stands on L1 and whose time is not over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ForcedEntry {
    /// Its place in the queue.
    pub place: u64,
    /// Its hash.
    pub hash: H256,
    /// The time from which on it is overdue, milliseconds since 1970.
    pub due: Moment,
}

/// A sequencer that left out transactions that stood on L1, within the last month.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ForcedCensor {
    /// Who.
    pub account: AccountId,
    /// How many the runtime had to apply, since it is on record.
    pub transactions: u32,
    /// When it was found, at most once in an epoch, the last times, oldest first;
    /// milliseconds since 1970.
    pub occasions: Vec<Moment>,
}

/// What became of transactions that stood on L1, and what waits (R17.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ForcedStatus {
    /// Taken into the queue, ever.
    pub heard: u64,
    /// Whose nonces were used when their time was over.
    pub included: u64,
    /// That no leader had included, so the runtime did.
    pub applied: u64,
    /// That could not be included.
    pub dropped: u64,
    /// The first place that waits.
    pub first: u64,
    /// Some of those that wait, in their order.
    pub waiting: Vec<ForcedEntry>,
    /// Who censored in the last month.
    pub censors: Vec<ForcedCensor>,
}

sp_api::decl_runtime_apis! {
    /// The chain's parameters.
    pub trait ChainApi {
        /// The parameter table in force.
        fn chain_parameters() -> ChainParameters;
    }

    /// Who sequences.
    pub trait SequencerApi {
        /// The set that produces and certifies the next block.
        fn sequencer_set() -> SequencerSet;
        /// Hash of the L1 block that seeds the ranking of `term`: the last one
        /// applied by the end of term − 2; the zero hash before there is one.
        fn ranking_l1_hash(term: u32) -> L1Hash;
    }

    /// Who wants to sequence.
    pub trait RegistryApi {
        /// Who may announce itself to other nodes, and with which key: everybody with
        /// registered keys who sequences, is about to, or wants to.
        fn announcers() -> Vec<Announcer>;
        /// The polls about candidates that are open now.
        fn open_polls() -> Vec<OpenPoll>;
        /// The transaction that answers in a poll.
        fn attest_extrinsic(
            attestation: NodeAttestation,
            signature: ed25519::Signature,
        ) -> Block::Extrinsic;
        /// Whether each of some accounts may.
        fn eligibility(accounts: Vec<AccountId>) -> Vec<Eligibility>;
        /// Everybody who announced itself, by account.
        fn candidates() -> Vec<CandidateInfo>;
        /// The revocation key of each of some accounts, as it stands in the next block.
        fn revocation_keys(accounts: Vec<AccountId>) -> Vec<RevocationKey>;
        /// The call that bonds `stake` more, if it is not 0, and announces the account
        /// that signs it; `None` if the endpoint is too long.
        fn announce_call(stake: Balance, endpoint: Vec<u8>) -> Option<Vec<u8>>;
        /// The entities whose seats some accounts take, each by the name of one of its
        /// accounts (R22.3).
        fn entities(accounts: Vec<AccountId>) -> Vec<AccountId>;
        /// Whether an account holds each of some keys of L1, as far as the chain knows.
        fn holds_l1_keys(account: AccountId, keys: Vec<ecdsa::Public>) -> Vec<bool>;
        /// The call that reports that one wallet spent coins of two accounts together.
        fn common_inputs_call(
            first: AccountId,
            second: AccountId,
            proof: CommonInputsProof,
        ) -> Vec<u8>;
        /// The call that claims a lock on L1 which was crowded out of its block.
        fn claim_lock_call(proof: InclusionProof) -> Vec<u8>;
    }

    /// The L1 relay.
    pub trait RelayApi {
        /// Where it stands.
        fn relay_status() -> RelayStatus;
        /// Whether `voter` has a vote on record for exactly this digest.
        fn has_voted(voter: u16, height: u32, digest_id: H256) -> bool;
        /// The transaction that casts a vote.
        fn vote_extrinsic(vote: RelayVote) -> Block::Extrinsic;
        /// The transaction that delivers a page.
        fn page_extrinsic(height: u32, page: EventPage, proof: PageProof) -> Block::Extrinsic;
    }

    /// How sequencers take part.
    pub trait ParticipationApi {
        /// Of each sequencer of the set in force, in its order.
        fn participation() -> Vec<SequencerParticipation>;
    }

    /// Reputations.
    pub trait ReputationApi {
        /// Of one account; zeros for one nobody knows.
        fn reputation(account: AccountId) -> ReputationReport;
        /// The batches that wait for L1, from a sequence number on, at most `limit` of the
        /// signed ones.
        fn reputation_exports(from: u32, limit: u32) -> ReputationExports;
    }

    /// What sequencers' L1 nodes are asked for.
    pub trait ScoreAttestationApi {
        /// The addresses whose scores are wanted now; none before the first round.
        fn score_round() -> ScoreRound;
    }

    /// What users get back after outages.
    pub trait CompensationApi {
        /// Of one account, oldest outage first.
        fn compensation(account: AccountId) -> Vec<OutageClaim<Block::Extrinsic>>;
    }

    /// Messages from L1.
    pub trait MessagesApi {
        /// All on record of one L1 transaction, by position, at most 1,000.
        fn messages_of_transaction(txid: L1Hash) -> Vec<MessageReport>;
    }

    /// Transactions that are included whatever sequencers want.
    pub trait ForcedInclusionApi {
        /// The totals, and at most `limit` of those that wait, from a place on.
        fn forced_inclusion(from: u64, limit: u32) -> ForcedStatus;
    }

    /// What is in doubt after a fork of L1, and the recovery from it.
    pub trait RecoveryApi {
        /// Since which block, and what is not backed.
        fn recovery_status() -> RecoveryStatus;
        /// What would become of users' transactions, block by block, if they were
        /// repeated on this state after these credits. Changes nothing.
        fn rehearse_recovery(
            credits: Vec<(AccountId, Balance)>,
            blocks: Vec<Vec<Past<Vec<u8>>>>,
        ) -> Vec<Vec<Verdict<Fall>>>;
        /// What sequencers may vote on now: that a recovery begins.
        fn recovery_subject() -> Option<RecoverySubject>;
        /// Whether `voter` has a vote on record for the subject that is due.
        fn has_voted_recovery(voter: u16) -> bool;
        /// The transaction that casts a vote.
        fn recovery_vote_extrinsic(vote: RecoveryVote) -> Block::Extrinsic;
        /// What the next block's leader may bring for a recovery that runs.
        fn recovery_wanted() -> Option<Wanted>;
        /// Prefixes of the parts of the state that a recovery brings back.
        fn recovery_parts() -> Vec<Vec<u8>>;
        /// The recovery that runs, the last one, and why none can begin.
        fn recovery_overview() -> RecoveryOverview;
        /// What fell in the newest recovery, by number from `from` on, at most `limit` and
        /// never more than 1,000. Of more than
        /// [`MAX_FALLEN`](crate::recovery::MAX_FALLEN) the newest are on record.
        fn fallen(from: u32, limit: u32) -> Vec<(u32, FallenTransaction)>;
    }

    /// Taking over from a set of sequencers that does nothing (R17.6).
    pub trait HandOverApi {
        /// What a hand-over behind this block must fit, and who may consent to one.
        fn hand_over_terms() -> HandOverTerms;
        /// The set that it puts into force, if this state takes it. That it is from this
        /// block is for the caller to check: a state does not know the hash of its block.
        fn hand_over_set(hand_over: HandOver) -> Result<SequencerSet, HandOverError>;
        /// The last one that took place.
        fn last_hand_over() -> Option<HandOverRecord>;
    }

    /// What sequencers earn.
    pub trait RewardsApi {
        /// Of `account`, or without one of each sequencer of the set in force, in its
        /// order.
        fn rewards(account: Option<AccountId>) -> RewardsReport;
    }

    /// The registry of layer 2 chains.
    pub trait ChainRegistryApi {
        /// A chain by its id.
        fn registered_chain(id: u32) -> Option<ListedChain>;
        /// A chain by its name: of several with one name the first.
        fn chain_named(name: ChainName) -> Option<ListedChain>;
        /// All chains, or those that are active, by their ids: from the id `from` on, at most
        /// `limit` and never more than [`MAX_LISTED`](crate::registry::MAX_LISTED).
        fn registered_chains(active_only: bool, from: u32, limit: u32) -> Vec<ListedChain>;
        /// The call that shows a chain's definition.
        fn define_chain_call(id: u32, definition: ChainDefinition) -> Vec<u8>;
        /// The call that changes a chain's status.
        fn set_chain_status_call(id: u32, status: ChainStatus) -> Vec<u8>;
    }

    /// Whether the chain and its L1 live.
    pub trait LivenessApi {
        /// As the chain's last block left it.
        fn liveness() -> LivenessReport;
    }

    /// L2 time.
    pub trait TimeApi {
        /// The times that the next block may have.
        fn time_bounds() -> TimeBounds;
    }

    /// Burns and the supply.
    pub trait BurnMintApi {
        /// All outputs on record of one L1 transaction, by position.
        fn burns_of_transaction(txid: L1Hash) -> Vec<BurnRecord>;
        /// Credits of the L2 blocks `from..=to`, at most `limit`.
        fn mint_history(from: BlockNumber, to: BlockNumber, limit: u32) -> Vec<MintRecord>;
        /// Burns credited to an account, in full or in part, newest first, at most
        /// `limit`.
        fn burns_of_account(account: AccountId, limit: u32) -> Vec<BurnRecord>;
        /// Valid burns that wait, in the order of their turns, at most `limit`.
        fn deferred_burns(limit: u32) -> Vec<BurnRecord>;
        /// How each of some burns waits; `None` for one that does not.
        fn burn_waits(outpoints: Vec<OutPoint>) -> Vec<Option<BurnWait>>;
        /// Whether anything is minted, and why not if it is not.
        fn minting() -> MintingStatus;
        /// The supply and its check.
        fn supply() -> SupplyReport;
    }

    /// Evidence of double signing.
    pub trait EvidenceApi {
        /// The transaction that reports it; free, and signed by nobody. `reporter` is
        /// whom to reward for it.
        fn report_extrinsic(
            evidence: DoubleSignEvidence,
            reporter: Option<AccountId>,
        ) -> Block::Extrinsic;
        /// What reporting it would come to.
        fn evidence_standing(evidence: DoubleSignEvidence) -> EvidenceStanding;
        /// Double signs on record, newest first, at most `limit`.
        fn double_signs(limit: u32) -> Vec<DoubleSignRecord>;
    }
}
