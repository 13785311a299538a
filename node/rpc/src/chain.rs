//! What the methods read of the chain, and how the node's client answers it.
//!
//! The methods stand on [`ChainReader`], a trait without type parameters, so that
//! they are tested without a node; [`ClientReader`] implements it for the real
//! client. All reads are of the finalized chain: here a block is imported with its
//! certificate, so what is not final does not exist.

use crate::{errors::Named, extrinsic::Described};
use cascoin_consensus::{
    hand_over::{in_force_behind, HandOverDesk},
    schedule::Schedule,
    EngineClient,
};
use cascoin_l2_primitives::{
    apis::{
        BurnMintApi, BurnRecord, BurnWait, CandidateInfo, ChainApi, ChainRegistryApi,
        CompensationApi, DoubleSignRecord, Eligibility, EvidenceApi, ForcedInclusionApi,
        ForcedStatus, HandOverApi, LivenessApi, MessagesApi, MintRecord, MintingStatus,
        OutageClaim, ParticipationApi, RecoveryApi, RegistryApi, RelayApi, RelayStatus,
        ReputationApi, ReputationExports, ReputationReport, RewardsApi, SequencerApi,
        SequencerParticipation, SupplyReport,
    },
    chain::{
        AccountId, Balance, BlockHash, BlockNumber, ChainParameters, Header, Nonce, OpaqueBlock,
        SequencerSet,
    },
    hand_over::{HandOver, HandOverError, HandOverRecord, HandOverTerms},
    l1::{
        common_inputs::CommonInputsProof, inclusion::InclusionProof, registration::ChainName,
        L1Hash, OutPoint,
    },
    liveness::LivenessReport,
    messages::MessageReport,
    recovery::{
        events_key, Fall, FallenTransaction, Outcome, Past, RecoveryOverview, RecoveryStatus,
        Verdict,
    },
    registry::{ChainDefinition, ChainStatus, ListedChain},
    rewards::RewardsReport,
    sequencers::RevocationKey,
};
use cascoin_l2_runtime::configs::transaction_outcomes;
use codec::{Decode, Encode};
use frame_support::{storage::storage_prefix, Blake2_128Concat, StorageHasher};
use jsonrpsee::types::ErrorObjectOwned;
use sc_client_api::{Backend, StateBackend as _, TrieCacheContext};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::ecdsa;
use sp_runtime::{
    transaction_validity::{TransactionSource, TransactionValidity},
    Justifications, OpaqueExtrinsic,
};
use sp_transaction_pool::runtime_api::TaggedTransactionQueue;
use std::sync::Arc;

/// Why the chain could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The block is known, its state is not kept any more.
    #[error("state discarded")]
    StateDiscarded,
    /// Anything else: a runtime call or the database failed.
    #[error("{0}")]
    Failed(String),
}

impl ReadError {
    fn of(error: impl std::fmt::Display) -> Self {
        let text = error.to_string();
        // The database says so in words only (sc-client-db, `state_at`).
        match text.contains("State already discarded") {
            true => Self::StateDiscarded,
            false => Self::Failed(text),
        }
    }
}

impl From<ApiError> for ReadError {
    fn from(error: ApiError) -> Self {
        Self::of(error)
    }
}

impl From<sp_blockchain::Error> for ReadError {
    fn from(error: sp_blockchain::Error) -> Self {
        Self::of(error)
    }
}

impl From<ReadError> for ErrorObjectOwned {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::StateDiscarded => Named::StateNotAvailable.into(),
            ReadError::Failed(detail) => {
                log::warn!(target: "l2::rpc", "cannot read the chain: {detail}");
                Named::RuntimeError.with(detail)
            }
        }
    }
}

/// Result of reading the chain.
pub type Read<T> = Result<T, ReadError>;

/// The head of the finalized chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub number: BlockNumber,
    /// Hash of block 0.
    pub genesis: BlockHash,
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Transactions it has sent.
    pub nonce: Nonce,
    /// What it owns and no pallet has reserved, in base units.
    pub free: Balance,
    /// What pallets hold of it, in base units.
    pub reserved: Balance,
    /// How much of it may not be spent, in base units.
    pub frozen: Balance,
}

/// Who leads the next block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaders {
    /// The next block's height.
    pub height: BlockNumber,
    /// Its term.
    pub term: u32,
    /// Indices of the leaders of round 0, 1, 2 …
    pub order: Vec<u16>,
}

/// A block as stored.
#[derive(Clone, Debug)]
pub struct StoredBlock {
    /// Its hash.
    pub hash: BlockHash,
    /// Its header, sealed.
    pub header: Header,
    /// Its transactions, encoded with their length prefix; `None` if pruned.
    pub transactions: Option<Vec<Vec<u8>>>,
    /// Its certificate and whatever else was stored with it.
    pub justifications: Option<Justifications>,
}

/// Reads the chain. Calls may take milliseconds and block.
pub trait ChainReader: Send + Sync + 'static {
    /// The finalized head.
    fn head(&self) -> Head;
    /// The parameter table in force after `at`.
    fn parameters(&self, at: BlockHash) -> Read<ChainParameters>;
    /// The sequencers of the block on top of `at`.
    fn sequencers(&self, at: BlockHash) -> Read<SequencerSet>;
    /// How they took part, in the same order.
    fn participation(&self, at: BlockHash) -> Read<Vec<SequencerParticipation>>;
    /// What `account` has earned, or without one each sequencer of the set.
    fn rewards(&self, at: BlockHash, account: Option<AccountId>) -> Read<RewardsReport>;
    /// Who leads the block on top of the head.
    fn leaders(&self) -> Read<Leaders>;
    /// Where the relay stands after `at`.
    fn relay(&self, at: BlockHash) -> Read<RelayStatus>;
    /// Burn records of one L1 transaction.
    fn burns_of_transaction(&self, at: BlockHash, txid: L1Hash) -> Read<Vec<BurnRecord>>;
    /// Credits of the blocks `from..=to`, at most `limit`.
    fn mint_history(
        &self,
        at: BlockHash,
        from: BlockNumber,
        to: BlockNumber,
        limit: u32,
    ) -> Read<Vec<MintRecord>>;
    /// Mints to one account, newest first, at most `limit`.
    fn burns_of_account(
        &self,
        at: BlockHash,
        account: AccountId,
        limit: u32,
    ) -> Read<Vec<BurnRecord>>;
    /// Valid burns that wait, in the order of their turns, at most `limit`.
    fn deferred_burns(&self, at: BlockHash, limit: u32) -> Read<Vec<BurnRecord>>;
    /// How each of some burns waits; `None` for one that does not.
    fn burn_waits(&self, at: BlockHash, outpoints: Vec<OutPoint>) -> Read<Vec<Option<BurnWait>>>;
    /// Whether anything is minted, and why not if it is not.
    fn minting(&self, at: BlockHash) -> Read<MintingStatus>;
    /// The supply.
    fn supply(&self, at: BlockHash) -> Read<SupplyReport>;
    /// Double signs on record, newest first, at most `limit`.
    fn double_signs(&self, at: BlockHash, limit: u32) -> Read<Vec<DoubleSignRecord>>;
    /// Whether each of some accounts may sequence.
    fn eligibility(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<Eligibility>>;
    /// The revocation key of each of some accounts.
    fn revocation_keys(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<RevocationKey>>;
    /// Who announced itself.
    fn candidates(&self, at: BlockHash) -> Read<Vec<CandidateInfo>>;
    /// The call that bonds and announces, encoded; `None` if the endpoint is too long.
    fn announce_call(
        &self,
        at: BlockHash,
        stake: Balance,
        endpoint: Vec<u8>,
    ) -> Read<Option<Vec<u8>>>;
    /// The entities whose seats some accounts take.
    fn entities(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<AccountId>>;
    /// Whether an account holds each of some keys of L1, as far as the chain knows.
    fn holds_l1_keys(
        &self,
        at: BlockHash,
        account: AccountId,
        keys: Vec<ecdsa::Public>,
    ) -> Read<Vec<bool>>;
    /// The call that reports common inputs of two accounts, encoded.
    fn common_inputs_call(
        &self,
        at: BlockHash,
        first: AccountId,
        second: AccountId,
        proof: CommonInputsProof,
    ) -> Read<Vec<u8>>;
    /// The call that claims a lock on L1, encoded.
    fn claim_lock_call(&self, at: BlockHash, proof: InclusionProof) -> Read<Vec<u8>>;
    /// An account's reputation.
    fn reputation(&self, at: BlockHash, account: AccountId) -> Read<ReputationReport>;
    /// Batches of reputations that wait for L1, at most `limit` signed ones from a
    /// sequence number on.
    fn reputation_exports(&self, at: BlockHash, from: u32, limit: u32) -> Read<ReputationExports>;
    /// All messages on record of one L1 transaction, by position.
    fn messages_of_transaction(&self, at: BlockHash, txid: L1Hash) -> Read<Vec<MessageReport>>;
    /// What an account gets back after outages, oldest first.
    fn compensation(
        &self,
        at: BlockHash,
        account: AccountId,
    ) -> Read<Vec<OutageClaim<OpaqueExtrinsic>>>;
    /// What became of transactions that stood on L1, and at most `limit` of those that
    /// wait, from a place on.
    fn forced_inclusion(&self, at: BlockHash, from: u64, limit: u32) -> Read<ForcedStatus>;
    /// Whether a block on top could include a transaction, as pools ask.
    fn validity(&self, at: BlockHash, transaction: OpaqueExtrinsic) -> Read<TransactionValidity>;
    /// Whether the chain and its L1 live, as its last block left it.
    fn liveness(&self, at: BlockHash) -> Read<LivenessReport>;
    /// What is in doubt after a fork of L1.
    fn recovery_status(&self, at: BlockHash) -> Read<RecoveryStatus>;
    /// What would become of users' transactions, block by block, if they were repeated on
    /// the state of a block, after these credits.
    fn rehearse_recovery(
        &self,
        at: BlockHash,
        credits: Vec<(AccountId, Balance)>,
        blocks: Vec<Vec<Past<Vec<u8>>>>,
    ) -> Read<Vec<Vec<Verdict<Fall>>>>;
    /// The recovery that runs, the last one, and why none begins.
    fn recovery_overview(&self, at: BlockHash) -> Read<RecoveryOverview>;
    /// What fell in the newest recovery, from a number on, at most `limit`.
    fn fallen(&self, at: BlockHash, from: u32, limit: u32) -> Read<Vec<(u32, FallenTransaction)>>;
    /// What became of the transactions of a block: the index of each that did not succeed in
    /// all, ascending.
    fn outcomes(&self, at: BlockHash) -> Read<Vec<(u32, Outcome)>>;
    /// What a hand-over behind `at` must fit, and who may consent to one.
    fn hand_over_terms(&self, at: BlockHash) -> Read<HandOverTerms>;
    /// The set that a hand-over puts into force, if the state behind `at` takes it. That it
    /// is from `at` is not looked at.
    fn hand_over_set(
        &self,
        at: BlockHash,
        hand_over: HandOver,
    ) -> Read<Result<SequencerSet, HandOverError>>;
    /// The last hand-over that took place.
    fn last_hand_over(&self, at: BlockHash) -> Read<Option<HandOverRecord>>;
    /// A registered chain by its id.
    fn registered_chain(&self, at: BlockHash, id: u32) -> Read<Option<ListedChain>>;
    /// A registered chain by its name.
    fn chain_named(&self, at: BlockHash, name: ChainName) -> Read<Option<ListedChain>>;
    /// All registered chains, or those that are active, by their ids.
    fn registered_chains(
        &self,
        at: BlockHash,
        active_only: bool,
        from: u32,
        limit: u32,
    ) -> Read<Vec<ListedChain>>;
    /// The call that shows a chain's definition, encoded.
    fn define_chain_call(
        &self,
        at: BlockHash,
        id: u32,
        definition: ChainDefinition,
    ) -> Read<Vec<u8>>;
    /// The call that changes a chain's status, encoded.
    fn set_chain_status_call(&self, at: BlockHash, id: u32, status: ChainStatus) -> Read<Vec<u8>>;
    /// An account; one that does not exist has nothing.
    fn account(&self, at: BlockHash, account: &AccountId) -> Read<AccountState>;
    /// Hash of the block at a height; `None` if there is none yet.
    fn hash_of(&self, number: BlockNumber) -> Read<Option<BlockHash>>;
    /// The header of a block.
    fn header(&self, hash: BlockHash) -> Read<Option<Header>>;
    /// A block with all that is stored of it.
    fn block(&self, hash: BlockHash) -> Read<Option<StoredBlock>>;
    /// What can be told of an encoded transaction.
    fn describe(&self, transaction: &[u8]) -> Described;
}

/// A client that can answer [`ChainReader`]: what the node's full client offers.
pub trait L2Client:
    EngineClient
    + ProvideRuntimeApi<
        OpaqueBlock,
        Api: RelayApi<OpaqueBlock>
                 + BurnMintApi<OpaqueBlock>
                 + ChainRegistryApi<OpaqueBlock>
                 + CompensationApi<OpaqueBlock>
                 + EvidenceApi<OpaqueBlock>
                 + MessagesApi<OpaqueBlock>
                 + ForcedInclusionApi<OpaqueBlock>
                 + HandOverApi<OpaqueBlock>
                 + LivenessApi<OpaqueBlock>
                 + ParticipationApi<OpaqueBlock>
                 + RecoveryApi<OpaqueBlock>
                 + RegistryApi<OpaqueBlock>
                 + ReputationApi<OpaqueBlock>
                 + RewardsApi<OpaqueBlock>
                 + TaggedTransactionQueue<OpaqueBlock>,
    >
{
}

impl<T> L2Client for T where
    T: EngineClient
        + ProvideRuntimeApi<
            OpaqueBlock,
            Api: RelayApi<OpaqueBlock>
                     + BurnMintApi<OpaqueBlock>
                     + ChainRegistryApi<OpaqueBlock>
                     + CompensationApi<OpaqueBlock>
                     + EvidenceApi<OpaqueBlock>
                     + MessagesApi<OpaqueBlock>
                     + ForcedInclusionApi<OpaqueBlock>
                     + HandOverApi<OpaqueBlock>
                     + LivenessApi<OpaqueBlock>
                     + ParticipationApi<OpaqueBlock>
                     + RecoveryApi<OpaqueBlock>
                     + RegistryApi<OpaqueBlock>
                     + ReputationApi<OpaqueBlock>
                     + RewardsApi<OpaqueBlock>
                     + TaggedTransactionQueue<OpaqueBlock>,
        >
{
}

/// [`ChainReader`] of a node: its client and its database.
pub struct ClientReader<C, B> {
    client: Arc<C>,
    backend: Arc<B>,
    /// Knows who leads behind the base of a hand-over.
    desk: Option<Arc<dyn HandOverDesk>>,
}

impl<C, B> ClientReader<C, B> {
    /// A reader over both.
    pub fn new(client: Arc<C>, backend: Arc<B>) -> Self {
        Self { client, backend, desk: None }
    }

    /// The same of a node whose operator may accept hand-overs.
    pub fn with_desk(self, desk: Arc<dyn HandOverDesk>) -> Self {
        Self { desk: Some(desk), ..self }
    }
}

/// How balances stand in the state: the beginning of `System::Account`, behind which
/// the runtime keeps activity.
type AccountInfo = frame_system::AccountInfo<Nonce, pallet_balances::AccountData<Balance>>;

/// Key of `System::Account` for one account.
fn account_key(account: &AccountId) -> Vec<u8> {
    let prefix = storage_prefix(b"System", b"Account");
    [&prefix[..], &Blake2_128Concat::hash(account.as_ref())].concat()
}

impl<C: L2Client, B: Backend<OpaqueBlock> + 'static> ChainReader for ClientReader<C, B> {
    fn head(&self) -> Head {
        let info = self.client.info();
        Head {
            hash: info.finalized_hash,
            number: info.finalized_number,
            genesis: info.genesis_hash,
        }
    }

    fn parameters(&self, at: BlockHash) -> Read<ChainParameters> {
        Ok(self.client.runtime_api().chain_parameters(at)?)
    }

    fn sequencers(&self, at: BlockHash) -> Read<SequencerSet> {
        Ok(self.client.runtime_api().sequencer_set(at)?)
    }

    fn participation(&self, at: BlockHash) -> Read<Vec<SequencerParticipation>> {
        Ok(self.client.runtime_api().participation(at)?)
    }

    fn rewards(&self, at: BlockHash, account: Option<AccountId>) -> Read<RewardsReport> {
        Ok(self.client.runtime_api().rewards(at, account)?)
    }

    fn leaders(&self) -> Read<Leaders> {
        let head = self.head();
        let Some(parent) = self.header(head.hash)? else {
            return Err(ReadError::Failed("the head has no header".into()));
        };
        let hand_over = self.desk.as_deref().and_then(|desk| in_force_behind(desk, &head.hash));
        let schedule = Schedule::after(&*self.client, head.genesis, hand_over, parent)
            .map_err(ReadError::of)?;
        Ok(Leaders {
            height: schedule.height.0,
            term: schedule.term,
            order: schedule.leaders.as_slice().iter().map(|leader| leader.0).collect(),
        })
    }

    fn relay(&self, at: BlockHash) -> Read<RelayStatus> {
        Ok(self.client.runtime_api().relay_status(at)?)
    }

    fn burns_of_transaction(&self, at: BlockHash, txid: L1Hash) -> Read<Vec<BurnRecord>> {
        Ok(self.client.runtime_api().burns_of_transaction(at, txid)?)
    }

    fn mint_history(
        &self,
        at: BlockHash,
        from: BlockNumber,
        to: BlockNumber,
        limit: u32,
    ) -> Read<Vec<MintRecord>> {
        Ok(self.client.runtime_api().mint_history(at, from, to, limit)?)
    }

    fn burns_of_account(
        &self,
        at: BlockHash,
        account: AccountId,
        limit: u32,
    ) -> Read<Vec<BurnRecord>> {
        Ok(self.client.runtime_api().burns_of_account(at, account, limit)?)
    }

    fn deferred_burns(&self, at: BlockHash, limit: u32) -> Read<Vec<BurnRecord>> {
        Ok(self.client.runtime_api().deferred_burns(at, limit)?)
    }

    fn burn_waits(&self, at: BlockHash, outpoints: Vec<OutPoint>) -> Read<Vec<Option<BurnWait>>> {
        Ok(self.client.runtime_api().burn_waits(at, outpoints)?)
    }

    fn minting(&self, at: BlockHash) -> Read<MintingStatus> {
        Ok(self.client.runtime_api().minting(at)?)
    }

    fn supply(&self, at: BlockHash) -> Read<SupplyReport> {
        Ok(self.client.runtime_api().supply(at)?)
    }

    fn double_signs(&self, at: BlockHash, limit: u32) -> Read<Vec<DoubleSignRecord>> {
        Ok(self.client.runtime_api().double_signs(at, limit)?)
    }

    fn eligibility(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<Eligibility>> {
        Ok(self.client.runtime_api().eligibility(at, accounts)?)
    }

    fn revocation_keys(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<RevocationKey>> {
        Ok(self.client.runtime_api().revocation_keys(at, accounts)?)
    }

    fn candidates(&self, at: BlockHash) -> Read<Vec<CandidateInfo>> {
        Ok(self.client.runtime_api().candidates(at)?)
    }

    fn announce_call(
        &self,
        at: BlockHash,
        stake: Balance,
        endpoint: Vec<u8>,
    ) -> Read<Option<Vec<u8>>> {
        Ok(self.client.runtime_api().announce_call(at, stake, endpoint)?)
    }

    fn entities(&self, at: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<AccountId>> {
        Ok(self.client.runtime_api().entities(at, accounts)?)
    }

    fn holds_l1_keys(
        &self,
        at: BlockHash,
        account: AccountId,
        keys: Vec<ecdsa::Public>,
    ) -> Read<Vec<bool>> {
        Ok(self.client.runtime_api().holds_l1_keys(at, account, keys)?)
    }

    fn common_inputs_call(
        &self,
        at: BlockHash,
        first: AccountId,
        second: AccountId,
        proof: CommonInputsProof,
    ) -> Read<Vec<u8>> {
        Ok(self.client.runtime_api().common_inputs_call(at, first, second, proof)?)
    }

    fn claim_lock_call(&self, at: BlockHash, proof: InclusionProof) -> Read<Vec<u8>> {
        Ok(self.client.runtime_api().claim_lock_call(at, proof)?)
    }

    fn reputation(&self, at: BlockHash, account: AccountId) -> Read<ReputationReport> {
        Ok(self.client.runtime_api().reputation(at, account)?)
    }

    fn reputation_exports(&self, at: BlockHash, from: u32, limit: u32) -> Read<ReputationExports> {
        Ok(self.client.runtime_api().reputation_exports(at, from, limit)?)
    }

    fn messages_of_transaction(&self, at: BlockHash, txid: L1Hash) -> Read<Vec<MessageReport>> {
        Ok(self.client.runtime_api().messages_of_transaction(at, txid)?)
    }

    fn compensation(
        &self,
        at: BlockHash,
        account: AccountId,
    ) -> Read<Vec<OutageClaim<OpaqueExtrinsic>>> {
        Ok(self.client.runtime_api().compensation(at, account)?)
    }

    fn forced_inclusion(&self, at: BlockHash, from: u64, limit: u32) -> Read<ForcedStatus> {
        Ok(self.client.runtime_api().forced_inclusion(at, from, limit)?)
    }

    fn validity(&self, at: BlockHash, transaction: OpaqueExtrinsic) -> Read<TransactionValidity> {
        let source = TransactionSource::External;
        Ok(self.client.runtime_api().validate_transaction(at, source, transaction, at)?)
    }

    fn liveness(&self, at: BlockHash) -> Read<LivenessReport> {
        Ok(self.client.runtime_api().liveness(at)?)
    }

    fn recovery_status(&self, at: BlockHash) -> Read<RecoveryStatus> {
        Ok(self.client.runtime_api().recovery_status(at)?)
    }

    fn rehearse_recovery(
        &self,
        at: BlockHash,
        credits: Vec<(AccountId, Balance)>,
        blocks: Vec<Vec<Past<Vec<u8>>>>,
    ) -> Read<Vec<Vec<Verdict<Fall>>>> {
        Ok(self.client.runtime_api().rehearse_recovery(at, credits, blocks)?)
    }

    fn recovery_overview(&self, at: BlockHash) -> Read<RecoveryOverview> {
        Ok(self.client.runtime_api().recovery_overview(at)?)
    }

    fn fallen(&self, at: BlockHash, from: u32, limit: u32) -> Read<Vec<(u32, FallenTransaction)>> {
        Ok(self.client.runtime_api().fallen(at, from, limit)?)
    }

    fn outcomes(&self, at: BlockHash) -> Read<Vec<(u32, Outcome)>> {
        let state = self.backend.state_at(at, TrieCacheContext::Untrusted)?;
        let stored = state.storage(&events_key()).map_err(ReadError::of)?;
        let outcomes = transaction_outcomes(&stored.unwrap_or_default());
        outcomes.ok_or_else(|| ReadError::of("this node's runtime cannot read the block's events"))
    }

    fn hand_over_terms(&self, at: BlockHash) -> Read<HandOverTerms> {
        Ok(self.client.runtime_api().hand_over_terms(at)?)
    }

    fn hand_over_set(
        &self,
        at: BlockHash,
        hand_over: HandOver,
    ) -> Read<Result<SequencerSet, HandOverError>> {
        Ok(self.client.runtime_api().hand_over_set(at, hand_over)?)
    }

    fn last_hand_over(&self, at: BlockHash) -> Read<Option<HandOverRecord>> {
        Ok(self.client.runtime_api().last_hand_over(at)?)
    }

    fn registered_chain(&self, at: BlockHash, id: u32) -> Read<Option<ListedChain>> {
        Ok(self.client.runtime_api().registered_chain(at, id)?)
    }

    fn chain_named(&self, at: BlockHash, name: ChainName) -> Read<Option<ListedChain>> {
        Ok(self.client.runtime_api().chain_named(at, name)?)
    }

    fn registered_chains(
        &self,
        at: BlockHash,
        active_only: bool,
        from: u32,
        limit: u32,
    ) -> Read<Vec<ListedChain>> {
        Ok(self.client.runtime_api().registered_chains(at, active_only, from, limit)?)
    }

    fn define_chain_call(
        &self,
        at: BlockHash,
        id: u32,
        definition: ChainDefinition,
    ) -> Read<Vec<u8>> {
        Ok(self.client.runtime_api().define_chain_call(at, id, definition)?)
    }

    fn set_chain_status_call(&self, at: BlockHash, id: u32, status: ChainStatus) -> Read<Vec<u8>> {
        Ok(self.client.runtime_api().set_chain_status_call(at, id, status)?)
    }

    fn account(&self, at: BlockHash, account: &AccountId) -> Read<AccountState> {
        let state = self.backend.state_at(at, TrieCacheContext::Untrusted)?;
        let stored = state.storage(&account_key(account)).map_err(ReadError::of)?;
        let Some(stored) = stored else { return Ok(AccountState::default()) };
        let info = AccountInfo::decode(&mut &stored[..]).map_err(ReadError::of)?;
        Ok(AccountState {
            nonce: info.nonce,
            free: info.data.free,
            reserved: info.data.reserved,
            frozen: info.data.frozen,
        })
    }

    fn hash_of(&self, number: BlockNumber) -> Read<Option<BlockHash>> {
        Ok(HeaderBackend::hash(&*self.client, number)?)
    }

    fn header(&self, hash: BlockHash) -> Read<Option<Header>> {
        Ok(HeaderBackend::header(&*self.client, hash)?)
    }

    fn block(&self, hash: BlockHash) -> Read<Option<StoredBlock>> {
        let Some(header) = self.header(hash)? else { return Ok(None) };
        let body = self.client.block_body(hash)?;
        let transactions =
            body.map(|body| body.iter().map(Encode::encode).collect::<Vec<Vec<u8>>>());
        let justifications = self.client.justifications(hash)?;
        Ok(Some(StoredBlock { hash, header, transactions, justifications }))
    }

    fn describe(&self, transaction: &[u8]) -> Described {
        crate::extrinsic::describe(transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_runtime::Runtime;
    use codec::Encode;

    #[test]
    fn balances_are_read_from_where_the_runtime_keeps_them() {
        let account = AccountId::from([7; 32]);
        let key = frame_system::Account::<Runtime>::hashed_key_for(&account);
        assert_eq!(account_key(&account), key);
        let data = cascoin_l2_runtime::AccountData {
            free: 1,
            reserved: 2,
            frozen: 3,
            ..Default::default()
        };
        let stored: frame_system::AccountInfo<Nonce, _> =
            frame_system::AccountInfo { nonce: 4, data, ..Default::default() };
        let read = AccountInfo::decode(&mut &stored.encode()[..]).expect("it is a prefix");
        assert_eq!((read.nonce, read.data.free), (4, 1));
        assert_eq!((read.data.reserved, read.data.frozen), (2, 3));
    }

    #[test]
    fn a_pruned_state_is_told_from_other_failures() {
        let pruned = sp_blockchain::Error::UnknownBlock("State already discarded for 0x00".into());
        assert_eq!(ReadError::from(pruned), ReadError::StateDiscarded);
        let other = sp_blockchain::Error::UnknownBlock("Header was not found".into());
        assert!(matches!(ReadError::from(other), ReadError::Failed(_)));
        let error = ErrorObjectOwned::from(ReadError::StateDiscarded);
        assert_eq!(error.code(), Named::StateNotAvailable.code());
    }
}
