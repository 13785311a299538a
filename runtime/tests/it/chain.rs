//! A chain in memory: genesis from a preset, blocks built as a sequencer builds
//! them and executed as every other node does.

use cascoin_l2_primitives::{consensus::LeaderDigest, sequencers::SequencerBits};
use cascoin_l2_runtime::{
    genesis_config_presets, AccountId, Balance, Block, ChargeFees, Executive, Header, Moment,
    Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, SignedPayload, System, TxExtension,
    UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::dispatch::GetDispatchInfo;
use serde_json::Value;
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_core::{sr25519, storage::StateVersion, Pair, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::Era,
    traits::{BlakeTwo256, Block as _, Hash as _, Header as _},
    ApplyExtrinsicResult, BuildStorage, Digest, DigestItem, MultiSignature,
};

/// A chain and its head.
pub struct Chain {
    pub ext: sp_io::TestExternalities,
    pub head: Header,
    pub time: Moment,
    /// Sequencers that sign no block, by index; all others do.
    pub absent: Vec<u16>,
    /// Leaders of the rounds that failed before the next block.
    pub failed: Vec<u16>,
    /// What the next header carries besides.
    pub items: Vec<DigestItem>,
}

/// When the first block of a test chain is made.
pub const START: Moment = 1_780_000_000_000;

/// The default genesis with a preset's patch, as a node makes it (RFC 7386).
pub fn complete(patch: &Value) -> Value {
    let mut genesis =
        serde_json::to_value(RuntimeGenesisConfig::default()).expect("the default serialises");
    merge(&mut genesis, patch);
    genesis
}

fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

/// The genesis of a preset, complete.
pub fn preset(name: &str) -> RuntimeGenesisConfig {
    let patch = genesis_config_presets::preset(name).expect("the preset exists");
    serde_json::from_value(complete(&patch)).expect("the preset fits the genesis")
}

impl Chain {
    /// The genesis of a preset.
    pub fn of(name: &str) -> Self {
        Self::from(preset(name))
    }

    /// A genesis.
    pub fn from(genesis: RuntimeGenesisConfig) -> Self {
        let mut ext: sp_io::TestExternalities =
            genesis.build_storage().expect("the genesis builds").into();
        let state_root = ext.execute_with(root);
        let head = Header::new(
            0,
            BlakeTwo256::ordered_trie_root(vec![], StateVersion::V0),
            state_root,
            H256::zero(),
            Digest::default(),
        );
        Self { ext, head, time: START, absent: vec![], failed: vec![], items: vec![] }
    }

    /// Builds the next block 500 ms later, executes it, and returns it with what
    /// became of each of its transactions.
    pub fn grow(&mut self, transactions: Vec<UncheckedExtrinsic>) -> (Block, Vec<Applied>) {
        self.time += 500;
        let (block, applied) = self.build(self.time, transactions);
        self.execute(block.clone());
        (block, applied)
    }

    /// Builds a block as a leader does; the state stays as it was.
    pub fn build(
        &mut self,
        time: Moment,
        transactions: Vec<UncheckedExtrinsic>,
    ) -> (Block, Vec<Applied>) {
        let header = self.unfinished(time);
        let noted = self.participation();
        self.ext.execute_with(|| {
            undone(|| {
                Executive::initialize_block(&header);
                let mut extrinsics = vec![timestamp(time), noted];
                for inherent in extrinsics.clone() {
                    Executive::apply_extrinsic(inherent)
                        .expect("the inherent is valid")
                        .expect("the inherent succeeds");
                }
                let mut applied = Vec::new();
                for transaction in transactions {
                    // As the block builder does: an invalid one leaves no trace.
                    sp_io::storage::start_transaction();
                    let result = Executive::apply_extrinsic(transaction.clone());
                    if result.is_ok() {
                        sp_io::storage::commit_transaction();
                        extrinsics.push(transaction);
                    } else {
                        sp_io::storage::rollback_transaction();
                    }
                    applied.push(result);
                }
                let header = Executive::finalize_block();
                (Block::new(header, extrinsics), applied)
            })
        })
    }

    /// Executes a block as every node does; panics if it is not valid.
    pub fn execute(&mut self, block: Block) {
        let header = block.header.clone();
        self.ext.execute_with(|| Executive::execute_block(block.into()));
        self.ext.commit_all().expect("changes can be committed");
        self.head = header;
    }

    /// The header with which block building starts.
    pub fn unfinished(&self, time: Moment) -> Header {
        let slot = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(time).encode());
        let round = self.failed.len() as u16;
        let leader = LeaderDigest { term: 0, round, leader: 0 }.item();
        Header::new(
            self.head.number + 1,
            H256::zero(),
            H256::zero(),
            self.head.hash(),
            Digest { logs: [vec![slot, leader], self.items.clone()].concat() },
        )
    }

    /// The inherent that says who signed the head.
    pub fn participation(&mut self) -> UncheckedExtrinsic {
        let number = self.head.number;
        let set = self.read(|| {
            let outgoing = pallet_participation::Outgoing::<Runtime>::get();
            outgoing.map_or_else(pallet_participation::Members::<Runtime>::get, |(_, set)| set)
        });
        let members = 0..set.len() as u16;
        let signs = |index: &u16| number > 0 && !self.absent.contains(index);
        let signers = members.filter(signs).collect();
        let failed_leaders: SequencerBits = self.failed.iter().copied().collect();
        let call =
            pallet_participation::Call::note { round: 0, signers, heard: signers, failed_leaders };
        UncheckedExtrinsic::new_bare(RuntimeCall::Participation(call))
    }

    /// Reads the state.
    pub fn read<R>(&mut self, query: impl FnOnce() -> R) -> R {
        self.ext.execute_with(query)
    }

    /// A signed transaction for the next block.
    pub fn sign(
        &mut self,
        who: Sr25519Keyring,
        nonce: Nonce,
        tip: Balance,
        call: impl Into<RuntimeCall>,
    ) -> UncheckedExtrinsic {
        self.sign_with(&who.pair(), nonce, tip, call)
    }

    /// The same, with a key that has no name.
    pub fn sign_with(
        &mut self,
        pair: &sr25519::Pair,
        nonce: Nonce,
        tip: Balance,
        call: impl Into<RuntimeCall>,
    ) -> UncheckedExtrinsic {
        let genesis = self.genesis_hash();
        self.ext.execute_with(|| {
            undone(|| {
                // Before block 1 the system pallet does not know it yet.
                frame_system::BlockHash::<Runtime>::insert(0, genesis);
                signed(pair, nonce, tip, call.into())
            })
        })
    }

    fn genesis_hash(&mut self) -> H256 {
        if self.head.number == 0 {
            return self.head.hash();
        }
        self.ext.execute_with(|| System::block_hash(0))
    }
}

/// What became of a transaction.
pub type Applied = ApplyExtrinsicResult;

/// The inherent that sets the time.
pub fn timestamp(now: Moment) -> UncheckedExtrinsic {
    UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now }))
}

/// What a transaction carries besides its call.
pub fn extension(nonce: Nonce, tip: Balance) -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        pallet_rate_limit::CheckRate::from(nonce),
        pallet_rate_limit::CheckGas::new(),
        frame_system::CheckWeight::new(),
        ChargeFees::from(tip),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        (
            pallet_reputation::RecordActivity::new(),
            pallet_recovery::NoteOutcome::new(),
            frame_system::WeightReclaim::new(),
        ),
    )
}

fn signed(
    pair: &sr25519::Pair,
    nonce: Nonce,
    tip: Balance,
    call: RuntimeCall,
) -> UncheckedExtrinsic {
    let payload = SignedPayload::new(call, extension(nonce, tip)).expect("the payload can be made");
    let signature = payload.using_encoded(|bytes| pair.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(
        call,
        AccountId::from(pair.public()).into(),
        MultiSignature::Sr25519(signature),
        extension,
    )
}

/// Runs `work` and undoes what it did to the state. (FRAME's own transactions
/// keep their depth in the state, where it would change the root.)
pub fn undone<R>(work: impl FnOnce() -> R) -> R {
    sp_io::storage::start_transaction();
    let result = work();
    sp_io::storage::rollback_transaction();
    result
}

/// The root of the state as it stands.
pub fn root() -> H256 {
    H256::from_slice(&sp_io::storage::root(StateVersion::V1))
}

/// A transfer.
pub fn transfer(to: Sr25519Keyring, value: Balance) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: to.to_account_id().into(),
        value,
    })
}

/// A batch of as many transfers as weigh about so much, in picoseconds: whatever weights
/// are in force.
pub fn transfers_of_weight(picoseconds: u64) -> RuntimeCall {
    let batch = |count| {
        let calls = vec![transfer(Sr25519Keyring::Ferdie, 1); count];
        RuntimeCall::Utility(pallet_utility::Call::batch_all { calls })
    };
    let weight = |count| batch(count).get_dispatch_info().call_weight.ref_time();
    let (none, hundred) = (weight(0), weight(100));
    let count = picoseconds.saturating_sub(none) * 100 / (hundred - none);
    batch(usize::try_from(count).expect("it is a test's number"))
}
