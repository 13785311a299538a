//! What the node and clients may ask the runtime.

use crate::{
    fees, genesis_config_presets, AccountId, Aura, Balance, Block, BlockNumber, BurnMint,
    ChainParameters, Compensation, Equivocation, Executive, Grandpa, InherentDataExt, L1Relay,
    L2Registry, Liveness, Messages, Nonce, Participation, Recovery, RecoveryPoint, Reputation,
    ReputationExport, Rewards, Runtime, RuntimeCall, ScoreAttestation, SequencerRegistry,
    SessionKeys, System, TimestampGuard, TransactionPayment, VERSION,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    apis::{
        Announcer, BurnRecord, BurnWait, CandidateInfo, DoubleSignRecord, Eligibility,
        EvidenceStanding, ForcedStatus, MintRecord, MintingStatus, OpenPoll, OutageClaim,
        RelayStatus, ReputationExports, ReputationReport, SequencerParticipation, SupplyReport,
    },
    chain::{self, SequencerSet},
    consensus::DoubleSignEvidence,
    hand_over::{HandOver, HandOverError, HandOverRecord, HandOverTerms},
    l1::{
        common_inputs::CommonInputsProof, inclusion::InclusionProof, registration::ChainName,
        L1Hash, OutPoint,
    },
    liveness::LivenessReport,
    messages::MessageReport,
    recovery::{
        Fall, FallenTransaction, Past, RecoveryOverview, RecoveryStatus, RecoverySubject,
        RecoveryVote, Verdict, Wanted,
    },
    registry::{ChainDefinition, ChainStatus, ListedChain, MAX_LISTED},
    relay::{EventPage, PageProof, RelayVote},
    reputation::attestation::ScoreRound,
    rewards::RewardsReport,
    sequencers::{NodeAttestation, RevocationKey},
    time::TimeBounds,
};
use codec::Encode;
use frame_support::{genesis_builder_helper, traits::Get, weights::Weight};
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_api::impl_runtime_apis;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata, H256};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: frame_support::view_functions::ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: InherentData,
        ) -> CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, sp_consensus_aura::ed25519::AuthorityId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
        }

        fn authorities() -> Vec<sp_consensus_aura::ed25519::AuthorityId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            Grandpa::current_set_id()
        }

        // `EvidenceApi` takes evidence.
        fn submit_report_equivocation_unsigned_extrinsic(
            _: sp_consensus_grandpa::EquivocationProof<
                <Block as BlockT>::Hash,
                NumberFor<Block>,
            >,
            _: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            None
        }

        fn generate_key_ownership_proof(
            _: sp_consensus_grandpa::SetId,
            _: sp_consensus_grandpa::AuthorityId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            None
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(
            owner: Vec<u8>,
            seed: Option<Vec<u8>>,
        ) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
        for Runtime
    {
        fn query_info(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> RuntimeDispatchInfo<Balance> {
            fees::query_info(uxt, len)
        }

        fn query_fee_details(uxt: <Block as BlockT>::Extrinsic, len: u32) -> FeeDetails<Balance> {
            fees::query_fee_details(uxt, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
        Block,
        Balance,
        RuntimeCall,
    > for Runtime {
        fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(json: Vec<u8>) -> sp_genesis_builder::Result {
            genesis_config_presets::build_state(json)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            genesis_builder_helper::get_preset::<crate::RuntimeGenesisConfig>(
                id,
                genesis_config_presets::get_preset,
            )
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis_config_presets::preset_names()
        }
    }

    impl cascoin_l2_primitives::apis::ChainApi<Block> for Runtime {
        fn chain_parameters() -> chain::ChainParameters {
            ChainParameters::get()
        }
    }

    impl cascoin_l2_primitives::apis::SequencerApi<Block> for Runtime {
        fn sequencer_set() -> SequencerSet {
            SequencerRegistry::sequencer_set()
        }

        fn ranking_l1_hash(term: u32) -> L1Hash {
            L1Relay::ranking_l1_hash(term)
        }
    }

    impl cascoin_l2_primitives::apis::RegistryApi<Block> for Runtime {
        fn eligibility(accounts: Vec<AccountId>) -> Vec<Eligibility> {
            accounts.iter().map(SequencerRegistry::eligibility).collect()
        }

        fn candidates() -> Vec<CandidateInfo> {
            SequencerRegistry::candidate_list()
        }

        fn revocation_keys(accounts: Vec<AccountId>) -> Vec<RevocationKey> {
            accounts.iter().map(SequencerRegistry::revocation_key).collect()
        }

        fn announcers() -> Vec<Announcer> {
            crate::configs::announcers()
        }

        fn open_polls() -> Vec<OpenPoll> {
            SequencerRegistry::open_polls_now()
        }

        fn attest_extrinsic(
            attestation: NodeAttestation,
            signature: sp_core::ed25519::Signature,
        ) -> <Block as BlockT>::Extrinsic {
            SequencerRegistry::attest_extrinsic(attestation, signature)
        }

        fn announce_call(stake: Balance, endpoint: Vec<u8>) -> Option<Vec<u8>> {
            use pallet_sequencer_registry::Call as Registry;
            let endpoint = endpoint.try_into().ok()?;
            let announce = Registry::announce { endpoint, controller: None }.into();
            let bond = pallet_stake::Call::bond { amount: stake }.into();
            let calls = if stake > 0 { vec![bond, announce] } else { vec![announce] };
            Some(RuntimeCall::Utility(pallet_utility::Call::batch_all { calls }).encode())
        }

        fn entities(accounts: Vec<AccountId>) -> Vec<AccountId> {
            SequencerRegistry::entities(&accounts)
        }

        fn holds_l1_keys(account: AccountId, keys: Vec<sp_core::ecdsa::Public>) -> Vec<bool> {
            keys.iter().map(|key| SequencerRegistry::holds_key(&account, key)).collect()
        }

        fn common_inputs_call(
            first: AccountId,
            second: AccountId,
            proof: CommonInputsProof,
        ) -> Vec<u8> {
            let call =
                pallet_sequencer_registry::Call::report_common_inputs { first, second, proof };
            RuntimeCall::SequencerRegistry(call).encode()
        }

        fn claim_lock_call(proof: InclusionProof) -> Vec<u8> {
            RuntimeCall::Stake(pallet_stake::Call::claim_lock { proof }).encode()
        }
    }

    impl cascoin_l2_primitives::apis::RelayApi<Block> for Runtime {
        fn relay_status() -> RelayStatus {
            L1Relay::status()
        }

        fn has_voted(voter: u16, height: u32, digest_id: H256) -> bool {
            L1Relay::has_voted(voter, height, digest_id)
        }

        fn vote_extrinsic(vote: RelayVote) -> <Block as BlockT>::Extrinsic {
            L1Relay::vote_extrinsic(vote)
        }

        fn page_extrinsic(
            height: u32,
            page: EventPage,
            proof: PageProof,
        ) -> <Block as BlockT>::Extrinsic {
            L1Relay::page_extrinsic(height, page, proof)
        }
    }

    impl cascoin_l2_primitives::apis::ParticipationApi<Block> for Runtime {
        fn participation() -> Vec<SequencerParticipation> {
            Participation::participation()
        }
    }

    impl cascoin_l2_primitives::apis::ReputationApi<Block> for Runtime {
        fn reputation(account: AccountId) -> ReputationReport {
            Reputation::report(&account)
        }

        fn reputation_exports(from: u32, limit: u32) -> ReputationExports {
            ReputationExport::exports(from, limit)
        }
    }

    impl cascoin_l2_primitives::apis::ScoreAttestationApi<Block> for Runtime {
        fn score_round() -> ScoreRound {
            ScoreAttestation::score_round()
        }
    }

    impl cascoin_l2_primitives::apis::CompensationApi<Block> for Runtime {
        fn compensation(account: AccountId) -> Vec<OutageClaim<<Block as BlockT>::Extrinsic>> {
            Compensation::compensation(&account)
        }
    }

    impl cascoin_l2_primitives::apis::MessagesApi<Block> for Runtime {
        fn messages_of_transaction(txid: L1Hash) -> Vec<MessageReport> {
            Messages::messages_of_transaction(txid)
        }
    }

    impl cascoin_l2_primitives::apis::ForcedInclusionApi<Block> for Runtime {
        fn forced_inclusion(from: u64, limit: u32) -> ForcedStatus {
            crate::configs::forced_status(from, limit)
        }
    }

    impl cascoin_l2_primitives::apis::RecoveryApi<Block> for Runtime {
        fn recovery_status() -> RecoveryStatus {
            RecoveryPoint::status()
        }

        fn rehearse_recovery(
            credits: Vec<(AccountId, Balance)>,
            blocks: Vec<Vec<Past<Vec<u8>>>>,
        ) -> Vec<Vec<Verdict<Fall>>> {
            crate::configs::rehearse_recovery(credits, &blocks)
        }

        fn recovery_subject() -> Option<RecoverySubject> {
            Recovery::recovery_subject()
        }

        fn has_voted_recovery(voter: u16) -> bool {
            Recovery::has_voted_recovery(voter)
        }

        fn recovery_vote_extrinsic(vote: RecoveryVote) -> <Block as BlockT>::Extrinsic {
            Recovery::recovery_vote_extrinsic(vote)
        }

        fn recovery_wanted() -> Option<Wanted> {
            Recovery::recovery_wanted()
        }

        fn recovery_parts() -> Vec<Vec<u8>> {
            use cascoin_l2_primitives::recovery::Books;
            <Runtime as pallet_recovery::Config>::Books::parts()
        }

        fn recovery_overview() -> RecoveryOverview {
            Recovery::recovery_overview()
        }

        fn fallen(from: u32, limit: u32) -> Vec<(u32, FallenTransaction)> {
            Recovery::fallen(from, limit)
        }
    }

    impl cascoin_l2_primitives::apis::HandOverApi<Block> for Runtime {
        fn hand_over_terms() -> HandOverTerms {
            pallet_hand_over::Pallet::<Runtime>::terms()
        }

        fn hand_over_set(hand_over: HandOver) -> Result<SequencerSet, HandOverError> {
            crate::configs::hand_over_set(&hand_over)
        }

        fn last_hand_over() -> Option<HandOverRecord> {
            pallet_hand_over::Last::<Runtime>::get()
        }
    }

    impl cascoin_l2_primitives::apis::RewardsApi<Block> for Runtime {
        fn rewards(account: Option<AccountId>) -> RewardsReport {
            Rewards::rewards(account)
        }
    }

    impl cascoin_l2_primitives::apis::ChainRegistryApi<Block> for Runtime {
        fn registered_chain(id: u32) -> Option<ListedChain> {
            L2Registry::chain(id)
        }

        fn chain_named(name: ChainName) -> Option<ListedChain> {
            L2Registry::chain_named(&name)
        }

        fn registered_chains(active_only: bool, from: u32, limit: u32) -> Vec<ListedChain> {
            L2Registry::chains_from(active_only, from, limit.min(MAX_LISTED))
        }

        fn define_chain_call(id: u32, definition: ChainDefinition) -> Vec<u8> {
            let call = pallet_l2_registry::Call::define { id, definition };
            RuntimeCall::L2Registry(call).encode()
        }

        fn set_chain_status_call(id: u32, status: ChainStatus) -> Vec<u8> {
            let call = pallet_l2_registry::Call::set_status { id, status };
            RuntimeCall::L2Registry(call).encode()
        }
    }

    impl cascoin_l2_primitives::apis::LivenessApi<Block> for Runtime {
        fn liveness() -> LivenessReport {
            LivenessReport { status: L2Registry::own_status(), life: Liveness::life() }
        }
    }

    impl cascoin_l2_primitives::apis::TimeApi<Block> for Runtime {
        fn time_bounds() -> TimeBounds {
            TimestampGuard::time_bounds()
        }
    }

    impl cascoin_l2_primitives::apis::BurnMintApi<Block> for Runtime {
        fn burns_of_transaction(txid: L1Hash) -> Vec<BurnRecord> {
            BurnMint::burns_of_transaction(txid)
        }

        fn mint_history(from: BlockNumber, to: BlockNumber, limit: u32) -> Vec<MintRecord> {
            BurnMint::mint_history(from, to, limit)
        }

        fn burns_of_account(account: AccountId, limit: u32) -> Vec<BurnRecord> {
            BurnMint::burns_of_account(account, limit)
        }

        fn deferred_burns(limit: u32) -> Vec<BurnRecord> {
            BurnMint::deferred_burns(limit)
        }

        fn burn_waits(outpoints: Vec<OutPoint>) -> Vec<Option<BurnWait>> {
            BurnMint::burn_waits(&outpoints)
        }

        fn minting() -> MintingStatus {
            BurnMint::minting()
        }

        fn supply() -> SupplyReport {
            BurnMint::supply()
        }
    }

    impl cascoin_l2_primitives::apis::EvidenceApi<Block> for Runtime {
        fn report_extrinsic(
            evidence: DoubleSignEvidence,
            reporter: Option<AccountId>,
        ) -> <Block as BlockT>::Extrinsic {
            Equivocation::report_extrinsic(evidence, reporter)
        }

        fn evidence_standing(evidence: DoubleSignEvidence) -> EvidenceStanding {
            Equivocation::standing(&evidence)
        }

        fn double_signs(limit: u32) -> Vec<DoubleSignRecord> {
            Equivocation::double_signs(limit)
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(extra: bool) -> (
            Vec<frame_benchmarking::BenchmarkList>,
            Vec<frame_support::traits::StorageInfo>,
        ) {
            use frame_support::traits::StorageInfoTrait;
            let mut list = Vec::new();
            list_benchmarks!(list, extra);
            (list, crate::AllPalletsWithSystem::storage_info())
        }

        #[allow(non_local_definitions)]
        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            use frame_support::traits::WhitelistedStorageKeys;
            let whitelist = crate::AllPalletsWithSystem::whitelisted_storage_keys();
            let mut batches = Vec::new();
            let params = (&config, &whitelist);
            add_benchmarks!(params, batches);
            Ok(batches)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            // A check that fails must stop the tool that runs it.
            #[allow(clippy::unwrap_used)]
            let weight = Executive::try_runtime_upgrade(checks).unwrap();
            (weight, crate::configs::RuntimeBlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            #[allow(clippy::unwrap_used)]
            Executive::try_execute_block(block, state_root_check, signature_check, select).unwrap()
        }
    }
}
