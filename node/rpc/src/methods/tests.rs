//! The methods as a client meets them: through the module, over a chain and an L1
//! node made for the test.

use super::*;
use crate::{
    chain::{AccountState, Leaders, Read, StoredBlock},
    extrinsic::Described,
    l1::L1Summary,
};
use cascoin_l1::{
    burn::{BurnError, CheckedBurn, SentBurn, UnconfirmedBurn, UnsignedBurn},
    forced_block::{ForcedInBlock, ForcedInBlockError},
    forced_tx::{ForcedOrder, ForcedTxError, SentForced},
    inclusion::InclusionError,
    registration_tx::{RegistrationOrder, SentRegistration},
    stake::Locked,
    stake_tx::{ReleasedStake, SentStake, StakeOrder, StakeTxError, UnsignedStake},
    L1Error, SeenBurn,
};
use cascoin_l2_primitives::{
    apis::{
        BurnOutcome, BurnRecord, BurnWait, CandidateInfo, DoubleSignRecord, Eligibility,
        ForcedStatus, MintRecord, MintingStatus, OpenVote, OutageClaim, Peg, RelayStatus,
        ReputationExports, ReputationReport, SequencerParticipation, SupplyReport, WaitCause,
        Withheld,
    },
    chain::{AccountId, BlockHash, BlockNumber, FeeSplit, Header, SequencerInfo, SequencerSet},
    consensus::LeaderDigest,
    hand_over::{HandOver, HandOverError, HandOverRecord, HandOverTerms},
    l1::{
        address::L1Address,
        burn::{BurnPayload, Recipient},
        common_inputs::CommonInputsProof,
        inclusion::InclusionProof,
        registration::ChainName,
        stake::StakePayload,
        testing, L1Hash, OutPoint,
    },
    liveness::{ChainLife, LivenessReport},
    messages::MessageReport,
    recovery::{Fall, FallenTransaction, Outcome, Past, RecoveryOverview, RecoveryStatus, Verdict},
    registry::{ChainDefinition, ChainStatus, ListedChain},
    relay::L1BlockDigest,
    reputation::{
        rule::{score, Facts},
        Activity, Score,
    },
    rewards::RewardsReport,
    sequencers::StakeParts,
    sequencers::{RevocationKey, RevocationKeyChange},
};
use codec::Encode;
use serde_json::{json, Value};
use sp_consensus::NoNetwork;
use sp_core::{ecdsa, Pair};
use sp_runtime::{
    generic::DigestItem, transaction_validity::TransactionValidity, Digest, OpaqueExtrinsic,
};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

mod chains_tests;
mod common_inputs_tests;
mod compensation_tests;
mod evidence_tests;
mod exports_tests;
mod forced_tests;
mod hand_over_tests;
mod message_tests;
mod recoveries_tests;
mod recovery_tests;
mod rewards_tests;
mod stake_proof_tests;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const HEAD: BlockNumber = 25;
const NOW: u64 = 1_700_000_000_000;

/// What pallet-burn-mint cuts every list to, whatever it is asked for.
const MAX_RECORDS: u32 = 1_000;

/// A chain of 25 blocks with four sequencers over a Litecoin in regtest.
struct TestChain {
    decimals: u8,
    /// Its parameters, if they are not the usual ones.
    parameters: Option<ChainParameters>,
    supply: SupplyReport,
    minting: MintingStatus,
    /// Burns whose credit waits.
    deferred: u32,
    double_signs: Vec<DoubleSignRecord>,
    recovery: RecoveryStatus,
    recoveries: RecoveryOverview,
}

impl TestChain {
    fn hash(number: BlockNumber) -> BlockHash {
        BlockHash::from_low_u64_be(u64::from(number) + 1)
    }

    fn record() -> BurnRecord {
        BurnRecord {
            outpoint: OutPoint { txid: L1Hash([1; 32]), vout: 0 },
            peg: Peg::Burn,
            value: 150,
            minted: 150,
            encoded_amount: 150,
            recipient: Some(alice()),
            outcome: BurnOutcome::Minted,
            l1_height: 90,
            l1_hash: L1Hash([90; 32]),
            block: 20,
            time: NOW - 5_000,
        }
    }

    /// A burn of which a third is minted.
    fn waiting() -> BurnRecord {
        BurnRecord {
            outpoint: OutPoint { txid: L1Hash([5; 32]), vout: 0 },
            minted: 50,
            outcome: BurnOutcome::Deferred,
            ..Self::record()
        }
    }
}

fn alice() -> AccountId {
    crate::address::parse_account(ALICE, L1Params::of(Default::default())).expect("an address")
}

impl ChainReader for TestChain {
    fn head(&self) -> Head {
        Head { hash: Self::hash(HEAD), number: HEAD, genesis: Self::hash(0) }
    }

    fn parameters(&self, _: BlockHash) -> Read<ChainParameters> {
        if let Some(parameters) = &self.parameters {
            return Ok(parameters.clone());
        }
        Ok(ChainParameters {
            chain_id: 3,
            decimals: self.decimals,
            l1_confirmations: 6,
            forced_inclusion_s: 600,
            blocks_per_leader: 10,
            session_blocks: 600,
            propose_timeout_ms: 1_000,
            mint_timeout_ms: 600_000,
            min_fee: 1_000,
            recovery_threshold: 100_000_000,
            relay_withholding_s: 172_800,
            max_deposit: 1_000_000_000,
            min_sequencer_score: 70,
            min_sequencer_stake: 100_000_000,
            min_l2_stake_share: 50,
            fee_split: FeeSplit { producer: 70, others: 20 },
            ..ChainParameters::default()
        })
    }

    fn sequencers(&self, _: BlockHash) -> Read<SequencerSet> {
        let member = |index: u8| SequencerInfo {
            account: [index; 32].into(),
            aura: sp_core::ed25519::Public::from_raw([index; 32]),
            grandpa: sp_core::ed25519::Public::from_raw([index; 32]),
            relay: sp_core::ed25519::Public::from_raw([index; 32]),
            vault: sp_core::ecdsa::Public::from_raw([index; 33]),
            weight: u64::from(index),
            barred: index == 3,
        };
        Ok(SequencerSet { set_id: 1, members: (0..4).map(member).collect() })
    }

    fn participation(&self, _: BlockHash) -> Read<Vec<SequencerParticipation>> {
        let of = |index: u8| SequencerParticipation {
            account: [index; 32].into(),
            produced: 10 + u64::from(index),
            missed_proposals: 1,
            votes: 20,
            missed_votes: 4,
            uptime_permille: 833,
        };
        Ok((0..4).map(of).collect())
    }

    fn rewards(&self, _: BlockHash, account: Option<AccountId>) -> Read<RewardsReport> {
        Ok(rewards_tests::report(account))
    }

    fn leaders(&self) -> Read<Leaders> {
        Ok(Leaders { height: HEAD + 1, term: 2, order: vec![2, 0, 3, 1] })
    }

    fn relay(&self, _: BlockHash) -> Read<RelayStatus> {
        let digest = |height| L1BlockDigest {
            height,
            hash: L1Hash([height as u8; 32]),
            ..L1BlockDigest::default()
        };
        let open = OpenVote { digest: digest(101), voters: vec![0, 2], since: NOW - 30_000 };
        Ok(RelayStatus {
            attested: digest(100),
            applied_height: 100,
            applied_hash: L1Hash([100; 32]),
            open_votes: vec![open],
            withheld: vec![Withheld { account: [3; 32].into(), ms: 3_600_999 }],
            ..RelayStatus::default()
        })
    }

    fn burns_of_transaction(&self, _: BlockHash, txid: L1Hash) -> Read<Vec<BurnRecord>> {
        let known = [Self::record(), Self::waiting()];
        Ok(known.into_iter().filter(|record| record.outpoint.txid == txid).collect())
    }

    fn mint_history(
        &self,
        _: BlockHash,
        from: BlockNumber,
        to: BlockNumber,
        limit: u32,
    ) -> Read<Vec<MintRecord>> {
        let BurnRecord { outpoint, minted, recipient, l1_height, l1_hash, block, time, .. } =
            Self::record();
        let amount = minted;
        let credit = MintRecord { outpoint, amount, recipient, l1_height, l1_hash, block, time };
        let count = if (from..=to).contains(&credit.block) { limit.min(MAX_RECORDS) } else { 0 };
        Ok(vec![credit; count as usize])
    }

    fn burns_of_account(
        &self,
        _: BlockHash,
        account: AccountId,
        limit: u32,
    ) -> Read<Vec<BurnRecord>> {
        let own = account == alice() && limit > 0;
        Ok(own.then(Self::record).into_iter().collect())
    }

    fn deferred_burns(&self, _: BlockHash, limit: u32) -> Read<Vec<BurnRecord>> {
        Ok(vec![Self::waiting(); limit.min(self.deferred) as usize])
    }

    fn burn_waits(&self, _: BlockHash, outpoints: Vec<OutPoint>) -> Read<Vec<Option<BurnWait>>> {
        let wait = BurnWait {
            cause: WaitCause::AddressLimit,
            place: 7,
            next_at: Some(NOW + 1_000),
            complete_at: Some(NOW + 2_000),
        };
        let of = |outpoint| (outpoint == Self::waiting().outpoint).then_some(wait);
        Ok(outpoints.into_iter().map(of).collect())
    }

    fn minting(&self, _: BlockHash) -> Read<MintingStatus> {
        Ok(self.minting)
    }

    fn supply(&self, _: BlockHash) -> Read<SupplyReport> {
        Ok(self.supply.clone())
    }

    fn double_signs(&self, _: BlockHash, limit: u32) -> Read<Vec<DoubleSignRecord>> {
        Ok(self.double_signs.iter().take(limit as usize).cloned().collect())
    }

    fn eligibility(&self, _: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<Eligibility>> {
        let of = |account| {
            let known = account == alice();
            let parts = StakeParts { bonded: 100_000_000, locked: 50_000_000, named: 0 };
            Eligibility {
                parts: if known { parts } else { StakeParts::default() },
                score: Score::saturating(if known { 90 } else { 0 }),
                stake: if known { 150_000_000 } else { 0 },
                banned: false,
                suffices: known,
            }
        };
        Ok(accounts.into_iter().map(of).collect())
    }

    fn revocation_keys(&self, _: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<RevocationKey>> {
        let change = RevocationKeyChange { key: None, from: 99 };
        let of = |account: AccountId| match account == alice() {
            true => RevocationKey { key: Some([7; 20].into()), change: Some(change) },
            false => RevocationKey::default(),
        };
        Ok(accounts.into_iter().map(of).collect())
    }

    fn candidates(&self, at: BlockHash) -> Read<Vec<CandidateInfo>> {
        let candidate = |account: AccountId, attested| -> Read<CandidateInfo> {
            Ok(CandidateInfo {
                eligibility: self.eligibility(at, vec![account.clone()])?[0],
                confirmed: true,
                controller: account.clone(),
                endpoint: b"/dns/example.org/tcp/30333".to_vec(),
                announced_at: 9,
                attested,
                asked: vec![alice()],
                approved: 2,
                refused: 1,
                elected: false,
                account,
            })
        };
        Ok(vec![candidate(alice(), true)?, candidate([9; 32].into(), true)?])
    }

    fn announce_call(
        &self,
        _: BlockHash,
        stake: Balance,
        endpoint: Vec<u8>,
    ) -> Read<Option<Vec<u8>>> {
        Ok((endpoint.len() <= 256).then(|| (stake, endpoint).encode()))
    }

    /// All but the third sequencer stand alone.
    fn entities(&self, _: BlockHash, accounts: Vec<AccountId>) -> Read<Vec<AccountId>> {
        let of = |account: AccountId| {
            if account == [2; 32].into() {
                [1; 32].into()
            } else {
                account
            }
        };
        Ok(accounts.into_iter().map(of).collect())
    }

    /// Alice has key 1, and account 9 key 2. Both have proven key 4's address.
    fn holds_l1_keys(
        &self,
        _: BlockHash,
        account: AccountId,
        keys: Vec<ecdsa::Public>,
    ) -> Read<Vec<bool>> {
        let own: &[u8] = if account == alice() {
            &[1, 4]
        } else if account == [9; 32].into() {
            &[2, 4]
        } else {
            &[]
        };
        let own: Vec<_> = own.iter().map(|seed| testing::key(*seed).public()).collect();
        Ok(keys.into_iter().map(|key| own.contains(&key)).collect())
    }

    fn common_inputs_call(
        &self,
        _: BlockHash,
        first: AccountId,
        second: AccountId,
        proof: CommonInputsProof,
    ) -> Read<Vec<u8>> {
        Ok((first, second, proof).encode())
    }

    fn claim_lock_call(&self, _: BlockHash, proof: InclusionProof) -> Read<Vec<u8>> {
        Ok(proof.encode())
    }

    fn reputation(&self, _: BlockHash, account: AccountId) -> Read<ReputationReport> {
        let activity = Activity {
            first_day: 20_000,
            last_day: 20_001,
            succeeded: 9,
            failed: 1,
            transfers: 4,
            volume: 150_000_000,
            partners: 0b101,
        };
        let activity = if account == alice() { activity } else { Activity::default() };
        let l1 = Score::saturating(if account == alice() { 70 } else { 0 });
        let trust = Score::saturating(if account == alice() { 55 } else { 0 });
        let attested = (account == alice()).then_some(Score::saturating(80));
        let l1_temporal = Score::saturating(if account == alice() { 12 } else { 0 });
        let facts = Facts {
            l1,
            trust,
            l1_economic: Score::ZERO,
            l1_temporal,
            attested,
            activity,
            penalty: 1,
            decimals: self.decimals,
        };
        Ok(ReputationReport {
            breakdown: score(&facts),
            instant_finality: false,
            transactions: activity.transactions(),
            failed: activity.failed,
            volume: activity.volume.into(),
            partners: activity.partner_count(),
            l1_address: (account == alice()).then(|| sp_core::H160([7; 20])),
            first_day: activity.first_day,
            last_day: activity.last_day,
        })
    }

    fn reputation_exports(&self, _: BlockHash, from: u32, limit: u32) -> Read<ReputationExports> {
        Ok(exports_tests::report(from, limit))
    }

    fn messages_of_transaction(&self, _: BlockHash, txid: L1Hash) -> Read<Vec<MessageReport>> {
        Ok(message_tests::reports(txid))
    }

    fn compensation(
        &self,
        _: BlockHash,
        account: AccountId,
    ) -> Read<Vec<OutageClaim<OpaqueExtrinsic>>> {
        Ok(compensation_tests::report(&account))
    }

    fn forced_inclusion(&self, _: BlockHash, from: u64, limit: u32) -> Read<ForcedStatus> {
        Ok(forced_tests::report(from, limit))
    }

    fn validity(&self, _: BlockHash, transaction: OpaqueExtrinsic) -> Read<TransactionValidity> {
        Ok(forced_tests::validity(&transaction))
    }

    fn liveness(&self, _: BlockHash) -> Read<LivenessReport> {
        let life = ChainLife { l1_quiet_ms: 90_000, ..ChainLife::default() };
        Ok(LivenessReport { status: ChainStatus::Active, life })
    }

    fn recovery_status(&self, _: BlockHash) -> Read<RecoveryStatus> {
        Ok(self.recovery)
    }

    fn rehearse_recovery(
        &self,
        at: BlockHash,
        credits: Vec<(AccountId, Balance)>,
        blocks: Vec<Vec<Past<Vec<u8>>>>,
    ) -> Read<Vec<Vec<Verdict<Fall>>>> {
        Ok(recovery_tests::rehearsed(at, &credits, &blocks))
    }

    fn recovery_overview(&self, _: BlockHash) -> Read<RecoveryOverview> {
        Ok(self.recoveries)
    }

    fn fallen(&self, _: BlockHash, from: u32, limit: u32) -> Read<Vec<(u32, FallenTransaction)>> {
        Ok(recoveries_tests::fallen(from, limit))
    }

    fn outcomes(&self, at: BlockHash) -> Read<Vec<(u32, Outcome)>> {
        Ok(if at == Self::hash(24) {
            vec![(0, Outcome::Failed), (1, Outcome::PartlyFailed), (2, Outcome::Failed)]
        } else {
            vec![]
        })
    }

    fn hand_over_terms(&self, _: BlockHash) -> Read<HandOverTerms> {
        Ok(hand_over_tests::terms())
    }

    fn hand_over_set(
        &self,
        at: BlockHash,
        hand_over: HandOver,
    ) -> Read<Result<SequencerSet, HandOverError>> {
        Ok(hand_over_tests::decide(&hand_over).map(|()| SequencerSet {
            set_id: hand_over.base.set_id,
            members: self.sequencers(at).map(|set| set.members).unwrap_or_default(),
        }))
    }

    fn last_hand_over(&self, _: BlockHash) -> Read<Option<HandOverRecord>> {
        Ok(Some(hand_over_tests::record()))
    }

    fn registered_chain(&self, _: BlockHash, id: u32) -> Read<Option<ListedChain>> {
        Ok(chains_tests::registered().into_iter().find(|listed| listed.id == id))
    }

    fn chain_named(&self, _: BlockHash, name: ChainName) -> Read<Option<ListedChain>> {
        let named = |listed: &ListedChain| listed.holds_name && listed.chain.name == name;
        Ok(chains_tests::registered().into_iter().find(named))
    }

    fn registered_chains(
        &self,
        _: BlockHash,
        active_only: bool,
        from: u32,
        limit: u32,
    ) -> Read<Vec<ListedChain>> {
        let wanted = |listed: &ListedChain| {
            listed.id >= from && (!active_only || listed.chain.status == ChainStatus::Active)
        };
        let all = chains_tests::registered().into_iter();
        Ok(all.filter(wanted).take(limit as usize).collect())
    }

    fn define_chain_call(
        &self,
        _: BlockHash,
        id: u32,
        definition: ChainDefinition,
    ) -> Read<Vec<u8>> {
        Ok((id, definition).encode())
    }

    fn set_chain_status_call(&self, _: BlockHash, id: u32, status: ChainStatus) -> Read<Vec<u8>> {
        Ok((id, status).encode())
    }

    fn account(&self, _: BlockHash, account: &AccountId) -> Read<AccountState> {
        let rich = AccountState { nonce: 7, free: 150_000_000, reserved: 50, frozen: 100 };
        Ok(if *account == alice() { rich } else { AccountState::default() })
    }

    fn hash_of(&self, number: BlockNumber) -> Read<Option<BlockHash>> {
        Ok((number <= HEAD).then(|| Self::hash(number)))
    }

    fn header(&self, hash: BlockHash) -> Read<Option<Header>> {
        let number = hash.to_low_u64_be() as BlockNumber - 1;
        let logs = vec![
            DigestItem::PreRuntime(*b"aura", NOW.encode()),
            LeaderDigest { term: 2, round: 1, leader: 2 }.item(),
        ];
        Ok(Some(Header {
            parent_hash: Self::hash(number.saturating_sub(1)),
            number,
            state_root: BlockHash::repeat_byte(5),
            extrinsics_root: BlockHash::repeat_byte(6),
            digest: Digest { logs: if number == 0 { Vec::new() } else { logs } },
        }))
    }

    fn block(&self, hash: BlockHash) -> Read<Option<StoredBlock>> {
        let Some(header) = self.header(hash)? else { return Ok(None) };
        let mut transactions = vec![vec![1, 2, 3]];
        if self.recovery.doubt.is_some() {
            transactions.extend(recovery_tests::users_of(header.number));
        }
        let transactions = Some(transactions);
        Ok(Some(StoredBlock { hash, header, transactions, justifications: None }))
    }

    fn describe(&self, transaction: &[u8]) -> Described {
        if transaction.first() == Some(&recovery_tests::SIGNED) {
            let signer = Some(alice());
            return Described { kind: Some("signed"), signer, ..Described::default() };
        }
        Described { kind: Some("inherent"), index: Some((1, 0)), ..Described::default() }
    }
}

/// An L1 node that shows one burn at height 101 and builds what it is asked for. Counts
/// how often it is to be tried again.
#[derive(Default)]
struct TestL1(Arc<AtomicU32>);

impl TestL1 {
    fn seen() -> SeenBurn {
        let recipient = Recipient::Account(alice());
        SeenBurn {
            outpoint: OutPoint { txid: L1Hash([2; 32]), vout: 1 },
            value: 300,
            payload: BurnPayload { chain_id: 3, recipient, amount: 400 }.encode().to_vec(),
            l1_height: 101,
            l1_hash: L1Hash([101; 32]),
            confirmations: 6,
            readable: true,
        }
    }
}

impl L1Access for TestL1 {
    fn summary(&self) -> L1Summary {
        L1Summary { connected: true, tip_height: Some(106), ..L1Summary::default() }
    }

    fn seen(&self, txid: L1Hash) -> Vec<SeenBurn> {
        [Self::seen()].into_iter().filter(|seen| seen.outpoint.txid == txid).collect()
    }

    fn recent(&self) -> Vec<SeenBurn> {
        vec![Self::seen()]
    }

    fn unconfirmed(&self, txid: L1Hash) -> Vec<UnconfirmedBurn> {
        let SeenBurn { outpoint, value, payload, .. } = Self::seen();
        let outpoint = OutPoint { txid, ..outpoint };
        let waits = txid == L1Hash([4; 32]);
        waits.then_some(UnconfirmedBurn { outpoint, value, payload }).into_iter().collect()
    }

    fn retry(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn create_burn(&self, payload: &BurnPayload) -> Result<UnsignedBurn, BurnError> {
        if payload.amount > 100_000_000 {
            return Err(BurnError::InsufficientFunds("Insufficient funds".into()));
        }
        let burn = CheckedBurn { vout: 0, value: payload.amount, payload: payload.clone() };
        Ok(UnsignedBurn { raw: vec![0xab], burn, fee: 226 })
    }

    fn send_burn(&self, raw: &[u8], chain_id: u32) -> Result<SentBurn, BurnError> {
        match raw {
            [0xab] => {
                let recipient = Recipient::Account(alice());
                let payload = BurnPayload { chain_id, recipient, amount: 9 };
                let burn = CheckedBurn { vout: 0, value: 9, payload };
                Ok(SentBurn { txid: L1Hash([3; 32]), burn })
            }
            [] => Err(BurnError::NoBurn),
            _ => Err(BurnError::L1(L1Error::WarmingUp { message: "Loading".into() })),
        }
    }

    fn create_stake(&self, order: &StakeOrder) -> Result<UnsignedStake, StakeTxError> {
        if order.value > 100_000_000 {
            return Err(StakeTxError::InsufficientFunds("Insufficient funds".into()));
        }
        let owner = order.owner.unwrap_or([9; 20]);
        let locked = stake_of(&order.account, order.unlock, owner, order.value);
        Ok(UnsignedStake { raw: vec![0xab], locked, fee: 226 })
    }

    fn send_stake(&self, raw: &[u8], chain_id: u32) -> Result<SentStake, StakeTxError> {
        match raw {
            [0xab] => {
                let locked = Locked { chain_id, ..stake_of(&alice(), 5_000, [9; 20], 9) };
                Ok(SentStake { txid: L1Hash([3; 32]), locked })
            }
            [] => Err(StakeTxError::NotAStake),
            _ => Err(StakeTxError::L1(L1Error::WarmingUp { message: "Loading".into() })),
        }
    }

    fn release_stake(&self, txid: L1Hash) -> Result<ReleasedStake, StakeTxError> {
        match txid {
            L1Hash([3, ..]) => Ok(ReleasedStake {
                txid: L1Hash([4; 32]),
                address: "rltc1".into(),
                value: 8,
                fee: 1,
            }),
            _ => Err(StakeTxError::NotTheOwner("n1".into())),
        }
    }

    fn force(&self, order: &ForcedOrder) -> Result<SentForced, ForcedTxError> {
        match order.transaction[..] {
            [8, 1, 2] => Ok(SentForced { funding: L1Hash([5; 32]), txid: L1Hash([6; 32]), fee: 7 }),
            [4, 1] => Err(StakeTxError::InsufficientFunds("Insufficient funds".into()).into()),
            _ => Err(ForcedTxError::NotShown {
                hex: "abcd".into(),
                source: L1Error::WarmingUp { message: "Loading".into() },
            }),
        }
    }

    fn forced_in_block(
        &self,
        block: &L1Hash,
        txid: &L1Hash,
        chain_id: u32,
    ) -> Result<ForcedInBlock, ForcedInBlockError> {
        hand_over_tests::forced(block, txid, chain_id)
    }

    fn registration_seed(&self) -> Result<OutPoint, StakeTxError> {
        Ok(chains_tests::SEED)
    }

    fn register_chain(&self, order: &RegistrationOrder) -> Result<SentRegistration, StakeTxError> {
        chains_tests::register(order)
    }

    fn inclusion(&self, txid: &L1Hash, block: &L1Hash) -> Result<InclusionProof, InclusionError> {
        common_inputs_tests::inclusion(txid, block)
    }
}

fn stake_of(account: &AccountId, unlock: u32, owner: [u8; 20], value: u64) -> Locked {
    let payload = StakePayload { account: account.clone(), unlock, owner };
    Locked { chain_id: 3, payload, value }
}

struct Setup {
    decimals: u8,
    parameters: Option<ChainParameters>,
    supply: SupplyReport,
    minting: MintingStatus,
    l1: Option<Arc<dyn L1Access>>,
    deny: Option<DenyUnsafe>,
    engine: EngineHandle,
    deferred: u32,
    double_signs: Vec<DoubleSignRecord>,
    evidence: EvidenceStore,
    desk: Arc<dyn HandOverDesk>,
    sync: Arc<dyn SyncOracle + Send + Sync>,
    recovery: RecoveryStatus,
    recoveries: RecoveryOverview,
}

impl Default for Setup {
    fn default() -> Self {
        let supply = SupplyReport {
            issuance: 140,
            minted: 150,
            burned_on_l2: 10,
            burn_count: 1,
            valid: true,
            ..SupplyReport::default()
        };
        Self {
            decimals: 8,
            parameters: None,
            supply,
            minting: MintingStatus::default(),
            l1: Some(Arc::new(TestL1::default())),
            deny: Some(DenyUnsafe::No),
            engine: EngineHandle::default(),
            deferred: 0,
            double_signs: Vec::new(),
            evidence: evidence_tests::no_evidence(),
            desk: Arc::new(hand_over_tests::TestDesk::default()),
            sync: Arc::new(NoNetwork),
            recovery: RecoveryStatus::default(),
            recoveries: RecoveryOverview::default(),
        }
    }
}

impl Setup {
    fn module(self) -> RpcModule<()> {
        let mut module = module(Context {
            chain: Arc::new(TestChain {
                decimals: self.decimals,
                parameters: self.parameters,
                supply: self.supply,
                minting: self.minting,
                deferred: self.deferred,
                double_signs: self.double_signs,
                recovery: self.recovery,
                recoveries: self.recoveries,
            }),
            engine: self.engine,
            evidence: self.evidence,
            announcements: Announcements::default(),
            hand_over: self.desk,
            l1: self.l1,
            sync: self.sync,
            chain_name: "Test".into(),
            mode: "full",
        })
        .expect("all names differ");
        if let Some(deny) = self.deny {
            module.extensions_mut().insert(deny);
        }
        module
    }

    /// The result, or the error, of one call.
    fn call(self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let module = self.module();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (answer, _) = runtime
            .block_on(module.raw_json_request(&request.to_string(), 1))
            .expect("the request is well-formed");
        let mut answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        match answer["error"].take() {
            Value::Null => Ok(answer["result"].take()),
            error => Err(error),
        }
    }
}

fn call(method: &str, params: Value) -> Value {
    Setup::default().call(method, params).expect("the call succeeds")
}

fn error(setup: Setup, method: &str, params: Value) -> (i64, String) {
    let error = setup.call(method, params).expect_err("the call fails");
    (
        error["code"].as_i64().expect("a code"),
        error["message"].as_str().expect("a message").to_owned(),
    )
}

#[test]
fn all_methods_of_the_ledger_are_there_and_nothing_else() {
    // O9 to O13, as far as there are any, R30.5, R31.6, R10.3, R10.4, R25.6, R38.6, stake on
    // L1, R22.2, R9.4, R19.4, R17.6, and evidence.
    let ledger: BTreeSet<&str> = [
        "l2_getchaininfo",
        "l2_listchains",
        "l2_deploy",
        "l2_registerchain",
        "l2_getregisteredchain",
        "l2_listregisteredchains",
        "l2_updatechainstatus",
        "l2_getbalance",
        "l2_gettransactioncount",
        "l2_getblockbynumber",
        "l2_getsequencers",
        "l2_announcesequencer",
        "l2_createcommoninputsproof",
        "l2_createrevocationtx",
        "l2_getforcedtransactions",
        "l2_getleader",
        "l2_createburntx",
        "l2_sendburntx",
        "l2_createstaketx",
        "l2_sendstaketx",
        "l2_releasestaketx",
        "l2_createstakeproof",
        "l2_forceinclusion",
        "l2_getburnstatus",
        "l2_getevidence",
        "l2_getnetworkstatus",
        "l2_getreputation",
        "l2_getreputationexports",
        "l2_getcompensation",
        "l2_getmessage",
        "l2_createmessagetx",
        "l2_getrecoverypoint",
        "l2_rehearserecovery",
        "l2_getrecovery",
        "l2_getfallentransactions",
        "l2_gethandover",
        "l2_consenthandover",
        "l2_createhandover",
        "l2_accepthandover",
        "l2_haltat",
        "l2_resume",
        "l2_getrewards",
        "l2_getpendingburns",
        "l2_retryburn",
        "l2_getminthistory",
        "l2_gettotalsupply",
        "l2_verifysupply",
        "l2_getburnsforaddress",
    ]
    .into();
    assert_eq!(Setup::default().module().method_names().collect::<BTreeSet<_>>(), ledger);
}

#[test]
fn chain_info_tells_chain_l1_and_parameters() {
    for params in [json!([]), json!([3]), json!(["3"]), json!({"chainid": "3"}), Value::Null] {
        let info = call("l2_getchaininfo", params);
        assert_eq!(info["chainId"], 3);
        assert_eq!(info["blockHeight"], HEAD);
        assert_eq!(info["sequencerCount"], 4);
        assert_eq!(info["votesNeeded"], 3);
        assert_eq!(
            (&info["status"], &info["emergency"]["active"]),
            (&json!("ACTIVE"), &json!(false))
        );
        assert_eq!(info["emergency"]["lastBlock"], NOW);
        assert_eq!(info["l1"]["appliedHeight"], 100);
        assert_eq!(
            (&info["l1"]["stalled"], &info["l1"]["quietSeconds"]),
            (&json!(false), &json!(90))
        );
        assert_eq!(info["l1"]["node"]["tipHeight"], 106);
        assert_eq!(info["params"]["leaderTimeoutSeconds"], 1);
        assert_eq!(info["params"]["minFee"], "0.00001000");
        assert_eq!(info["params"]["recoveryThreshold"], "1.00000000");
        assert_eq!(info["params"]["relayWithholdingSeconds"], 172_800);
        assert_eq!((&info["finality"], &info["anchored"]), (&json!("final"), &json!(false)));
    }
    let open = call("l2_getchaininfo", json!([]))["minting"].clone();
    assert_eq!(open, json!({"isStopped": false, "waitsFor": null}));
    // Stopped, and too few sequencers besides: the names are those of burns that wait.
    for (cause, name) in
        [(WaitCause::Stopped, "STOPPED"), (WaitCause::TooFewSequencers, "TOO_FEW_SEQUENCERS")]
    {
        let minting = MintingStatus { stopped: true, rests_for: Some(cause) };
        let setup = Setup { minting, ..Setup::default() };
        let info = setup.call("l2_getchaininfo", json!([])).expect("an answer");
        assert_eq!(info["minting"], json!({"isStopped": true, "waitsFor": name}));
    }
    let (code, message) = error(Setup::default(), "l2_getchaininfo", json!([1001]));
    assert_eq!((code, message.as_str()), (-32_056, "Chain not found"));
}

#[test]
fn balances_have_the_l1s_decimals() {
    for (decimals, balance, spendable) in
        [(8, "1.50000050", "1.49999950"), (7, "15.0000050", "14.9999950")]
    {
        let setup = Setup { decimals, ..Setup::default() };
        let answer = setup.call("l2_getbalance", json!([ALICE])).expect("a balance");
        assert_eq!(answer["balance"], balance);
        assert_eq!(answer["spendable"], spendable);
        assert_eq!(answer["units"], "150000050");
        assert_eq!(answer["nonce"], 7);
        assert_eq!(answer["finality"], "final");
    }
    let nobody = call("l2_getbalance", json!([format!("0x{}", "00".repeat(32))]));
    assert_eq!(nobody["balance"], "0.00000000");
    assert_eq!(call("l2_gettransactioncount", json!([ALICE]))["transactionCount"], 7);
}

#[test]
fn r10_3_a_score_comes_with_its_parts() {
    let answer = call("l2_getreputation", json!([ALICE]));
    assert_eq!(answer["score"], 52);
    assert_eq!(
        answer["parts"],
        json!({
            "l1": 70,
            "trust": 55,
            "l1Economic": 0,
            "l1Temporal": 12,
            "attested": 80,
            "behaviour": 46,
            "economic": 3,
            "penalty": 1,
            "suspicion": null,
        })
    );
    assert_eq!(answer["activity"]["volume"], "1.50000000");
    assert_eq!(answer["activity"]["partners"], 2);
    assert_eq!(answer["activity"]["lastDay"], 20_001);
    assert_eq!(answer["instantFinality"], false);
    // On Litecoin in regtest.
    assert!(answer["l1Address"].as_str().is_some_and(|address| address.starts_with(['m', 'n'])));
    assert!(answer["linkMessage"].as_str().is_some_and(|text| text.contains("chain 0x")));
    let nobody = call("l2_getreputation", json!([format!("0x{}", "00".repeat(32))]));
    assert_eq!((&nobody["score"], &nobody["activity"]["firstDay"]), (&json!(0), &Value::Null));
}

#[test]
fn unknown_addresses_are_refused_with_the_way_out() {
    for method in
        ["l2_getbalance", "l2_gettransactioncount", "l2_getburnsforaddress", "l2_getreputation"]
    {
        for bad in [json!(["rubbish"]), json!([17]), json!([[ALICE]]), json!([]), json!(["a", "b"])]
        {
            let (code, message) = error(Setup::default(), method, bad);
            assert_eq!(code, -32_602, "{message}");
            assert!(message.contains("address"), "{message}");
        }
    }
}

#[test]
fn blocks_are_found_by_height_and_as_the_latest() {
    for (asked, number) in
        [(json!(3), 3), (json!("3"), 3), (json!("latest"), HEAD), (json!("final"), HEAD)]
    {
        let block = call("l2_getblockbynumber", json!([asked]));
        assert_eq!(block["number"], number);
        assert_eq!(block["timestamp"], NOW);
        assert_eq!((&block["term"], &block["round"]), (&json!(2), &json!(1)));
        assert_eq!(block["sequencer"], crate::address::show_account(&[2; 32].into()));
        assert_eq!(block["isFinalized"], true);
        assert_eq!(block["transactions"][0]["hex"], "0x010203");
        assert_eq!(block["transactions"][0]["callIndex"], json!([1, 0]));
    }
    let brief = call("l2_getblockbynumber", json!([3, "false"]));
    assert_eq!(brief["transactionCount"], 1);
    assert_eq!(brief.get("transactions"), None);
    let genesis = call("l2_getblockbynumber", json!([0]));
    assert_eq!((&genesis["sequencer"], &genesis["timestamp"]), (&Value::Null, &Value::Null));

    let (code, message) = error(Setup::default(), "l2_getblockbynumber", json!([26]));
    assert_eq!((code, message.as_str()), (-32_055, "Block not found"));
    for bad in [json!(["-1"]), json!([1.5]), json!(["first"]), json!([]), json!([1, "perhaps"])] {
        assert_eq!(error(Setup::default(), "l2_getblockbynumber", bad).0, -32_602);
    }
}

#[test]
fn the_leader_moves_on_with_the_round() {
    let leader = call("l2_getleader", json!([]));
    assert_eq!((&leader["index"], &leader["height"]), (&json!(2), &json!(HEAD + 1)));
    assert_eq!(leader["validUntilBlock"], 30);
    assert_eq!(leader["failoverInProgress"], false);
    assert_eq!(leader["backupCount"], 3);

    let setup = Setup::default();
    setup.engine.update(|engine| {
        (engine.sequencing, engine.index, engine.height, engine.round) =
            (true, Some(0), HEAD + 1, 5);
    });
    let leader = setup.call("l2_getleader", json!([])).expect("a leader");
    assert_eq!((&leader["index"], &leader["isLocalNode"]), (&json!(0), &json!(true)));
    assert_eq!(leader["failoverInProgress"], true);
    let backups: Vec<_> = (0..3).map(|i| leader["backupSequencers"][i]["index"].clone()).collect();
    assert_eq!(backups, [json!(3), json!(1), json!(2)]);
}

#[test]
fn a_partition_is_shown_as_this_node_sees_it() {
    let follower = call("l2_getnetworkstatus", json!([]));
    assert_eq!((&follower["sequencerCount"], &follower["votesNeeded"]), (&json!(4), &json!(3)));
    assert_eq!(follower["reachableCount"], Value::Null, "it has no links to sequencers");
    for (reachable, quorum, partitioned) in
        [(vec![0, 1, 2, 3], true, false), (vec![0, 2], false, false), (vec![2], false, true)]
    {
        let setup = Setup::default();
        setup.engine.update(|status| {
            status.sequencing = true;
            status.index = Some(2);
            status.reachable.clone_from(&reachable);
        });
        let status = setup.call("l2_getnetworkstatus", json!([])).expect("an answer");
        assert_eq!(status["reachableCount"], reachable.len());
        assert_eq!(status["hasQuorum"], quorum, "{status}");
        assert_eq!(status["partitioned"], partitioned, "{status}");
        let missing = status["unreachable"].as_array().map(Vec::len);
        assert_eq!(missing, Some(4 - reachable.len()));
        assert_eq!(status["finalBlock"], HEAD);
    }
}

#[test]
fn sequencers_are_listed_in_the_order_of_the_set() {
    for params in [json!([]), json!([true]), json!(["1"])] {
        let answer = call("l2_getsequencers", params);
        assert_eq!(answer["count"], 4);
        assert_eq!(answer["sequencers"][3]["weight"], 3);
        let entity = |index: usize| answer["sequencers"][index]["entity"].clone();
        assert_eq!(entity(2), answer["sequencers"][1]["address"]);
        assert_eq!(entity(3), answer["sequencers"][3]["address"]);
        let last = &answer["sequencers"][3];
        assert_eq!(last["isReachable"], Value::Null);
        assert_eq!((&last["blocksProduced"], &last["blocksMissed"]), (&json!(13), &json!(1)));
        assert_eq!((&last["votesCast"], &last["votesMissed"]), (&json!(20), &json!(4)));
        assert_eq!(last["uptimePercent"], 83.3);
        // R17.6: who keeps L1 from being attested is seen long before it costs the seat.
        assert_eq!(last["relayVotesWithheldSeconds"], 3_600);
    }
    assert_eq!(error(Setup::default(), "l2_getsequencers", json!(["x"])).0, -32_602);
}

#[test]
fn candidates_are_listed_and_eligible_ones_on_request() {
    let all = call("l2_getsequencers", json!([]));
    assert_eq!(all["candidates"].as_array().map(Vec::len), Some(2));
    let first = &all["candidates"][0];
    assert_eq!((&first["address"], &first["stake"]), (&json!(ALICE), &json!("1.50000000")));
    assert_eq!(
        (&first["bonded"], &first["lockedOnL1"]),
        (&json!("1.00000000"), &json!("0.50000000"))
    );
    assert_eq!((&first["isVerified"], &first["attestationCount"]), (&json!(true), &json!(2)));
    assert_eq!(first["entity"], ALICE);
    let eligible = call("l2_getsequencers", json!([true]));
    assert_eq!(eligible["candidates"].as_array().map(Vec::len), Some(1));
    assert_eq!(eligible["candidates"][0]["hatScore"], 90);
}

#[test]
fn an_announcement_is_checked_and_given_back_to_be_signed() {
    let endpoint = "/dns/example.org/tcp/30333";
    let answer = call("l2_announcesequencer", json!(["2", 70, endpoint, ALICE]));
    assert_eq!((&answer["eligible"], &answer["hatScore"]), (&json!(true), &json!(90)));
    // Two coins count with 1.5 bonded beside the half that is locked.
    assert_eq!(
        (&answer["bonded"], &answer["lockedOnL1"], &answer["toBond"]),
        (&json!("1.00000000"), &json!("0.50000000"), &json!("0.50000000"))
    );
    let encoded = (50_000_000u128, endpoint.as_bytes().to_vec()).encode();
    assert_eq!(answer["call"], format!("0x{}", hex::encode(encoded)));
    let nobody =
        call("l2_announcesequencer", json!([2, "70", "", format!("0x{}", "00".repeat(32))]));
    assert_eq!((&nobody["eligible"], &nobody["toBond"]), (&json!(false), &json!("2.00000000")));
    assert_eq!(call("l2_announcesequencer", json!([1, 70]))["eligible"], Value::Null);

    let refused = |params| error(Setup::default(), "l2_announcesequencer", params);
    assert_eq!(refused(json!(["0.99", 70])), (-32_051, "Stake must be at least X CAS".into()));
    let low = Setup::default()
        .call("l2_announcesequencer", json!(["0.99", 70, "", ALICE]))
        .expect_err("the stake is too low");
    let both = "at least 1.00000000; 1.00000000 are bonded and 0.50000000 are locked on L1";
    assert_eq!(low["data"]["detail"], both);
    assert_eq!(refused(json!(["1", 69])), (-32_052, "HAT score must be at least X".into()));
    for bad in [json!([1]), json!([1, 101]), json!(["x", 70]), json!([1, 70, "x".repeat(257)])] {
        assert_eq!(refused(bad).0, -32_602);
    }
    assert_eq!(refused(json!([1, 70, "", "rubbish"])).0, -32_602);
}

#[test]
fn burn_status_combines_the_chain_and_this_nodes_l1() {
    let minted = call("l2_getburnstatus", json!(["01".repeat(32)]));
    assert_eq!(minted["consensusStatus"], "MINTED");
    assert_eq!(minted["burns"][0]["l2MintBlock"], 20);
    assert_eq!(minted["burns"][0]["l2Recipient"], ALICE);
    assert_eq!(minted["confirmations"], 17);

    let pending = call("l2_getburnstatus", json!([format!("0x{}", "02".repeat(32))]));
    assert_eq!(pending["consensusStatus"], "PENDING");
    let burn = &pending["burns"][0];
    assert_eq!((&burn["vout"], &burn["burnAmount"]), (&json!(1), &json!("0.00000300")));
    assert_eq!(burn["encodedAmount"], "0.00000400");
    assert_eq!(burn["consensusConfirmations"], 2);
    assert_eq!(burn["consensusConfirmationsNeeded"], 3);
    assert_eq!(burn["timeoutIn"], 570);
    assert_eq!(burn["l2MintBlock"], Value::Null);

    let sent = call("l2_getburnstatus", json!(["04".repeat(32)]));
    assert_eq!(sent["consensusStatus"], "WAITING_CONFIRMATIONS");
    assert_eq!((&sent["found"], &sent["confirmations"]), (&json!(true), &json!(0)));
    assert_eq!(sent["burns"][0]["l1BlockNumber"], Value::Null);

    let unknown = call("l2_getburnstatus", json!(["03".repeat(32)]));
    assert_eq!((&unknown["found"], &unknown["burns"]), (&json!(false), &json!([])));
    for bad in [json!(["03"]), json!([5]), json!([])] {
        assert_eq!(error(Setup::default(), "l2_getburnstatus", bad).0, -32_602);
    }
}

#[test]
fn a_burn_that_waits_for_a_limit_says_for_which_where_and_until_when() {
    for burn in [
        call("l2_getburnstatus", json!(["05".repeat(32)])),
        Setup { deferred: 1, ..Setup::default() }
            .call("l2_getpendingburns", json!([]))
            .expect("an answer"),
    ]
    .map(|answer| answer["burns"][0].clone())
    {
        assert_eq!(burn["status"], "REACHED");
        assert_eq!(
            (&burn["burnAmount"], &burn["mintedAmount"]),
            (&json!("0.00000150"), &json!("0.00000050"))
        );
        assert_eq!(
            (&burn["waitsFor"], &burn["limit"]),
            (&json!("ADDRESS_LIMIT"), &json!("BRIDGE_DEPOSIT_LIMIT"))
        );
        assert_eq!(burn["queuePlace"], 7);
        assert_eq!(burn["nextMintAt"], NOW + 1_000);
        assert_eq!(burn["completeMintAt"], NOW + 2_000);
        assert_eq!(burn["l2MintBlock"], Value::Null);
    }
    let minted = call("l2_getburnstatus", json!(["01".repeat(32)]));
    assert_eq!(minted["burns"][0].get("waitsFor"), None);
}

#[test]
fn o6_a_burn_is_tried_again_on_request_while_that_can_help() {
    let asked = Arc::new(AtomicU32::new(0));
    let with = |sequencing: bool| {
        let setup = Setup { l1: Some(Arc::new(TestL1(asked.clone()))), ..Setup::default() };
        setup.engine.update(|engine| engine.sequencing = sequencing);
        setup
    };
    let retry = |sequencing, params| with(sequencing).call("l2_retryburn", params);
    for (sequencing, times) in [(true, 1), (false, 2)] {
        let answer = retry(sequencing, json!(["02".repeat(32), 1])).expect("an answer");
        assert_eq!((&answer["consensusStatus"], &answer["vout"]), (&json!("PENDING"), &json!(1)));
        assert_eq!(
            (&answer["retried"], &answer["isSequencing"]),
            (&json!(true), &json!(sequencing))
        );
        assert_eq!(asked.load(Relaxed), times);
    }
    // The chain has it and it waits for a limit: no vote is missing.
    let waits = retry(true, json!(["05".repeat(32)])).expect("an answer");
    assert_eq!((&waits["retried"], &waits["consensusStatus"]), (&json!(false), &json!("REACHED")));
    assert!(waits["message"].as_str().is_some_and(|text| text.contains("recipient")), "{waits}");

    for (params, named) in [
        (json!(["01".repeat(32)]), Named::AlreadyMinted),
        (json!(["02".repeat(32), 0]), Named::NotABurn),
        (json!(["03".repeat(32)]), Named::NotABurn),
    ] {
        assert_eq!(error(with(true), "l2_retryburn", params).0, i64::from(named.code()));
    }
    assert_eq!(error(with(true), "l2_retryburn", json!(["02"])).0, -32_602);
    let blind = Setup { l1: None, ..Setup::default() };
    let (code, _) = error(blind, "l2_retryburn", json!(["02".repeat(32)]));
    assert_eq!(code, i64::from(Named::L1NotConfigured.code()));
    let stranger = Setup { deny: Some(DenyUnsafe::Yes), ..with(true) };
    let (_, message) = error(stranger, "l2_retryburn", json!(["02".repeat(32)]));
    assert_eq!(message, "RPC call is unsafe to be called externally");
    assert_eq!(asked.load(Relaxed), 2);
}

#[test]
fn pending_burns_and_open_votes() {
    let pending = call("l2_getpendingburns", json!([]));
    assert_eq!((&pending["count"], &pending["seesL1"]), (&json!(1), &json!(true)));
    assert_eq!(pending["burns"][0]["status"], "PENDING");
    assert_eq!(pending["openVotes"][0]["l1BlockNumber"], 101);
    assert_eq!(pending["openVotes"][0]["confirmationCount"], 2);
    let blind = Setup { l1: None, ..Setup::default() };
    let blind = blind.call("l2_getpendingburns", json!([])).expect("an answer");
    assert_eq!((&blind["count"], &blind["seesL1"]), (&json!(0), &json!(false)));
    assert_eq!(blind["openVotes"][0]["confirmationsNeeded"], 3);
}

#[test]
fn deferred_burns_are_pending_on_every_node() {
    for l1 in [None, Setup::default().l1] {
        let seen = usize::from(l1.is_some());
        let setup = Setup { deferred: 2, l1, ..Setup::default() };
        let pending = setup.call("l2_getpendingburns", json!([])).expect("an answer");
        assert_eq!(pending["count"], 2 + seen);
        assert_eq!(pending["burns"][0]["status"], "REACHED");
        assert_eq!(pending["truncated"], false);
    }
    let many = Setup { deferred: 900, ..Setup::default() };
    let many = many.call("l2_getpendingburns", json!([])).expect("an answer");
    assert_eq!((&many["count"], &many["truncated"]), (&json!(500), &json!(true)));
}

#[test]
fn mint_history_is_bounded_and_says_so() {
    let history = call("l2_getminthistory", json!([]));
    assert_eq!((&history["fromBlock"], &history["toBlock"]), (&json!(0), &json!(HEAD)));
    assert_eq!((&history["count"], &history["truncated"]), (&json!(500), &json!(true)));
    assert_eq!(history["totalMinted"], "0.00075000");
    for (params, count) in [(json!([21]), 0), (json!(["0", "19"]), 0), (json!(["20", 0]), 500)] {
        assert_eq!(call("l2_getminthistory", params)["count"], count);
    }
    let burns = call("l2_getburnsforaddress", json!([ALICE]));
    assert_eq!((&burns["count"], &burns["totalBurned"]), (&json!(1), &json!("0.00000150")));
    assert_eq!(burns["truncated"], false);
}

#[test]
fn what_is_burned_on_l1_and_what_is_in_the_vault_are_told_apart() {
    let mut setup = Setup::default();
    setup.supply.vaulted = 40;
    let supply = setup.call("l2_gettotalsupply", json!([])).expect("it is known");
    assert_eq!(supply["totalMintedL2"], "0.00000150");
    assert_eq!(supply["totalBurnedL1"], "0.00000110");
    assert_eq!(supply["totalVaultedL1"], "0.00000040");
}

#[test]
fn supply_adds_up_or_says_by_how_much_it_does_not() {
    let supply = call("l2_gettotalsupply", json!([]));
    assert_eq!(supply["totalSupply"], "0.00000140");
    assert_eq!((&supply["totalBurnedL1"], &supply["burnCount"]), (&json!("0.00000150"), &json!(1)));
    let verified = call("l2_verifysupply", json!([]));
    assert_eq!(
        (&verified["valid"], &verified["discrepancy"]),
        (&json!(true), &json!("0.00000000"))
    );

    for (issuance, discrepancy) in [(141, "0.00000001"), (139, "-0.00000001")] {
        let mut setup = Setup::default();
        setup.supply.issuance = issuance;
        let verified = setup.call("l2_verifysupply", json!([])).expect("an answer");
        assert_eq!(verified["valid"], false);
        assert_eq!(verified["discrepancy"], discrepancy);
        let message = verified["message"].as_str().expect("a message");
        assert!(message.starts_with("L2_SUPPLY_INVARIANT_VIOLATED"), "{message}");
    }
}

#[test]
fn a_burn_is_created_and_sent_through_the_l1_wallet() {
    for amount in [json!(0.1), json!("0.1"), json!("0.10000000")] {
        let created = call("l2_createburntx", json!([amount, ALICE]));
        assert_eq!((&created["hex"], &created["burnAmount"]), (&json!("ab"), &json!("0.10000000")));
        assert_eq!((&created["fee"], &created["chainId"]), (&json!("0.00000226"), &json!(3)));
        assert_eq!(created["l2RecipientAddress"], ALICE);
    }
    let sent = call("l2_sendburntx", json!(["ab"]));
    assert_eq!((&sent["txid"], &sent["confirmationsNeeded"]), (&json!("03".repeat(32)), &json!(6)));

    for bad in
        [json!([0, ALICE]), json!(["1e3", ALICE]), json!([1, "me"]), json!([1]), json!([-1, ALICE])]
    {
        assert_eq!(error(Setup::default(), "l2_createburntx", bad).0, -32_602);
    }
    let (code, message) = error(Setup::default(), "l2_createburntx", json!([2, ALICE]));
    assert_eq!(code, i64::from(Named::L1Refused.code()));
    assert!(message.contains("Insufficient funds"), "{message}");
    let (code, message) = error(Setup::default(), "l2_createburntx", json!([10.5, ALICE]));
    assert_eq!(code, i64::from(Named::DepositLimit.code()));
    assert!(message.contains("10.00000000 at most"), "{message}");
    for (hex, named) in [("", Named::NotABurn), ("cd", Named::L1Unavailable)] {
        let (code, _) = error(Setup::default(), "l2_sendburntx", json!([hex]));
        assert_eq!(code, i64::from(named.code()));
    }
    assert_eq!(error(Setup::default(), "l2_sendburntx", json!(["xy"])).0, -32_602);
}

#[test]
fn stake_is_locked_and_got_back_through_the_l1_wallet() {
    for amount in [json!(0.1), json!("0.10000000")] {
        let created = call("l2_createstaketx", json!([ALICE, amount, 4_282]));
        assert_eq!((&created["hex"], &created["amount"]), (&json!("ab"), &json!("0.10000000")));
        assert_eq!((&created["address"], &created["unlockHeight"]), (&json!(ALICE), &json!(4_282)));
        assert_eq!((&created["fee"], &created["chainId"]), (&json!("0.00000226"), &json!(3)));
    }
    let shown = |address: L1Address| address.encode(L1Params::of(Default::default()));
    let mine = shown(L1Address::PublicKeyHash([8; 20]));
    let named = call("l2_createstaketx", json!([ALICE, 0.1, "9000", mine]));
    assert_eq!(named["owner"], mine);
    let sent = call("l2_sendstaketx", json!(["ab"]));
    assert_eq!((&sent["txid"], &sent["unlockHeight"]), (&json!("03".repeat(32)), &json!(5_000)));
    let back = call("l2_releasestaketx", json!([format!("0x{}", "03".repeat(32))]));
    assert_eq!((&back["txid"], &back["amount"]), (&json!("04".repeat(32)), &json!("0.00000008")));

    let script = shown(L1Address::ScriptHash([8; 20]));
    for bad in [
        json!([ALICE, 0.1]),
        json!(["me", 0.1, 9_000]),
        json!([ALICE, 0, 9_000]),
        // Less than the smallest lock; a height that is too near, or four years away.
        json!([ALICE, "0.06249999", 9_000]),
        json!([ALICE, 0.1, 4_281]),
        json!([ALICE, 0.1, 106 + 4 * 210_240 + 1]),
        json!([ALICE, 0.1, 500_000_000]),
        json!([ALICE, 0.1, 9_000, script]),
        json!([ALICE, 0.1, 9_000, "rubbish"]),
    ] {
        assert_eq!(error(Setup::default(), "l2_createstaketx", bad.clone()).0, -32_602, "{bad}");
    }
    let (code, message) = error(Setup::default(), "l2_createstaketx", json!([ALICE, 2, 9_000]));
    assert_eq!(code, i64::from(Named::L1Refused.code()));
    assert!(message.contains("Insufficient funds"), "{message}");
    for (hex, named) in [("", Named::NotAStake), ("cd", Named::L1Unavailable)] {
        let (code, _) = error(Setup::default(), "l2_sendstaketx", json!([hex]));
        assert_eq!(code, i64::from(named.code()));
    }
    let (code, _) = error(Setup::default(), "l2_releasestaketx", json!(["05".repeat(32)]));
    assert_eq!(code, i64::from(Named::L1Refused.code()));
    assert_eq!(error(Setup::default(), "l2_releasestaketx", json!(["xy"])).0, -32_602);
}

#[test]
fn wallet_methods_are_guarded_and_need_an_l1_node() {
    for (method, params) in [
        ("l2_createburntx", json!([1, ALICE])),
        ("l2_sendburntx", json!(["ab"])),
        ("l2_createstaketx", json!([ALICE, 1, 9_000])),
        ("l2_sendstaketx", json!(["ab"])),
        ("l2_releasestaketx", json!(["03".repeat(32)])),
        ("l2_forceinclusion", json!(["080102"])),
    ] {
        for deny in [Some(DenyUnsafe::Yes), None] {
            let setup = Setup { deny, ..Setup::default() };
            let (_, message) = error(setup, method, params.clone());
            assert_eq!(message, "RPC call is unsafe to be called externally");
        }
        let setup = Setup { l1: None, ..Setup::default() };
        let (code, message) = error(setup, method, params);
        assert_eq!(code, i64::from(Named::L1NotConfigured.code()));
        assert!(message.contains("--l1-rpc-url"), "{message}");
    }
    // All others answer without being trusted.
    for method in [
        "l2_getchaininfo",
        "l2_getleader",
        "l2_verifysupply",
        "l2_getpendingburns",
        "l2_getevidence",
        "l2_getrewards",
    ] {
        let setup = Setup { deny: Some(DenyUnsafe::Yes), l1: None, ..Setup::default() };
        assert!(setup.call(method, json!([])).is_ok(), "{method}");
    }
}

#[test]
fn r30_5_a_revocation_is_given_to_whoever_holds_the_key() {
    let answer = call("l2_createrevocationtx", json!([ALICE]));
    let account = hex::encode(alice());
    let data = format!("4341534c32010503000000{account}");
    assert_eq!(answer["data"], data);
    assert_eq!(answer["script"], format!("6a2b{data}"));
    assert_eq!(answer["account"], format!("0x{account}"));
    assert_eq!((&answer["chainId"], &answer["confirmationsNeeded"]), (&json!(3), &json!(6)));
    let key = &answer["revocationKey"];
    assert_eq!(key["key"], hex::encode([7; 20]));
    let params = L1Params::of(Default::default());
    let parsed = key["l1Address"].as_str().map(|text| L1Address::parse(text, params));
    assert_eq!(parsed, Some(Ok(L1Address::PublicKeyHash([7; 20]))));
    assert_eq!(key["change"], json!({"key": null, "l1Address": null, "fromBlock": 99}));

    // Whoever has named none is told so.
    let other = format!("0x{}", "09".repeat(32));
    let answer = call("l2_createrevocationtx", json!([other]));
    assert_eq!(answer["revocationKey"]["key"], Value::Null);
    assert!(answer["message"].as_str().expect("a message").contains("setRevocationKey"));
    let bad = error(Setup::default(), "l2_createrevocationtx", json!(["nobody"]));
    assert_eq!(bad.0, -32_602);
}

#[test]
fn r30_5_who_is_barred_is_shown() {
    let shown = call("l2_getsequencers", json!([]));
    let barred: Vec<_> = (0usize..4).map(|index| &shown["sequencers"][index]["isBarred"]).collect();
    assert_eq!(barred, [false, false, false, true]);
    assert_eq!(shown["sequencers"][0]["revocationKey"]["key"], Value::Null);
}
