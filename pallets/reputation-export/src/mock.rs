//! A runtime of this pallet alone, scores, sequencers that sign, and an L1 that is told.

use crate as pallet_reputation_export;
use crate::pallet::{Call, Config};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::{
        export::{
            export_message, ExportSignature, ExportVote, ExportedScore, LinkedScores,
            OnLinkedScore, ScoreCause, SignedExport, MAX_EXPORT_ENTRIES,
        },
        export_order::ExportOrder,
        Score,
    },
    sequencers::SequencerSetProvider,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{Authorize, Hooks},
    weights::Weight,
};
use sp_core::{ed25519, Pair, H160, H256};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Dispatchable},
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage, DispatchError,
};
use std::collections::BTreeMap;

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<u64, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Export: pallet_reputation_export,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> frame_system::offchain::CreateTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extension = frame_system::AuthorizeCall<Test>;

    fn create_transaction(call: RuntimeCall, extension: Self::Extension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<C> frame_system::offchain::CreateAuthorizedTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> Self::Extension {
        frame_system::AuthorizeCall::new()
    }
}

parameter_types! {
    /// Seeds of the sequencers' keys, in the order of the set.
    pub static Members: Vec<u8> = vec![];
    pub static SetId: u64 = 0;
    /// The keys of sets that were replaced.
    pub static OldKeys: BTreeMap<u64, Vec<ed25519::Public>> = BTreeMap::new();
    pub static MaxEntries: u32 = MAX_EXPORT_ENTRIES;
    pub static ReservedEntries: u32 = RESERVED;
    /// What L2 says of linked addresses.
    pub static Linked: BTreeMap<H160, ExportedScore> = BTreeMap::new();
}

pub const GENESIS: H256 = H256([69; 32]);
pub const THRESHOLD: u8 = 5;
pub const INTERVAL: u32 = 10;
pub const RESERVED: u32 = 128;

pub fn pair(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

/// Stands for a key of small order, the neutral element.
pub const WEAK: u8 = 0;

fn public(seed: u8) -> ed25519::Public {
    if seed != WEAK {
        return pair(seed).public();
    }
    let mut neutral = [0; 32];
    neutral[0] = 1;
    ed25519::Public::from_raw(neutral)
}

/// The relay keys of the set, by index.
pub fn keys() -> Vec<ed25519::Public> {
    Members::get().into_iter().map(public).collect()
}

/// Those of a set that is or was in force.
fn keys_of(set_id: u64) -> Vec<ed25519::Public> {
    OldKeys::get().get(&set_id).cloned().unwrap_or_else(keys)
}

/// Another set of the same sequencers.
pub fn new_set() {
    OldKeys::mutate(|old| old.insert(SetId::get(), keys()));
    SetId::mutate(|id| *id += 1);
    Members::mutate(|members| members.rotate_left(1));
}

pub struct Sequencers;
impl SequencerSetProvider for Sequencers {
    fn set_id() -> u64 {
        SetId::get()
    }

    fn members() -> usize {
        Members::get().len()
    }

    fn account(index: u16) -> Option<AccountId> {
        Members::get().get(usize::from(index)).map(|seed| AccountId::new([*seed; 32]))
    }

    fn relay_key(index: u16) -> Option<ed25519::Public> {
        keys().get(usize::from(index)).copied()
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        keys().iter().position(|known| known == key).map(|index| index as u16)
    }
}

pub struct Scores;
impl LinkedScores for Scores {
    fn of_address(address: &H160) -> Option<ExportedScore> {
        Linked::get().get(address).copied()
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type Scores = Scores;
    type Threshold = frame_support::traits::ConstU8<THRESHOLD>;
    type MaxEntries = MaxEntries;
    type ReservedEntries = ReservedEntries;
    type Interval = frame_support::traits::ConstU32<INTERVAL>;
    type WeightInfo = crate::EstimatedWeight<Test>;
}

/// State after block 1 with so many sequencers and no links.
pub fn new_test_ext(sequencers: u8) -> sp_io::TestExternalities {
    Members::set((1..=sequencers).collect());
    SetId::set(0);
    MaxEntries::set(MAX_EXPORT_ENTRIES);
    ReservedEntries::set(RESERVED);
    OldKeys::set(BTreeMap::new());
    Linked::set(BTreeMap::new());
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext: sp_io::TestExternalities = storage.into();
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
    });
    ext
}

pub fn address(n: u32) -> H160 {
    H160::from_low_u64_be(u64::from(n))
}

pub fn points(score: u8) -> ExportedScore {
    ExportedScore { score: Score::saturating(score.into()), suspicion: None }
}

/// The score of a linked address changes, and nobody is told.
pub fn drift(n: u32, exported: ExportedScore) {
    Linked::mutate(|linked| linked.insert(address(n), exported));
}

/// An address is linked.
pub fn set(n: u32, score: u8) {
    drift(n, points(score));
    Export::on_linked_score(&address(n), ScoreCause::Link);
}

/// The account of an address is punished.
pub fn punish(n: u32, score: u8) {
    drift(n, points(score));
    Export::on_linked_score(&address(n), ScoreCause::Offence);
}

pub fn unlink(n: u32) {
    Linked::mutate(|linked| linked.remove(&address(n)));
    Export::on_linked_score(&address(n), ScoreCause::Link);
}

/// So many blocks in which there is nothing else to do.
pub fn run(blocks: u32) {
    for _ in 0..blocks {
        Export::on_idle(System::block_number(), Weight::MAX);
        Export::check_state().expect("sound between blocks");
        System::set_block_number(System::block_number() + 1);
        Export::on_initialize(System::block_number());
    }
}

/// Blocks until the next batch may be made, that one included.
pub fn epoch() {
    run(INTERVAL - System::block_number() % INTERVAL);
}

/// A signature of the batch that was made last.
pub fn vote(signer: u16) -> ExportVote {
    let last = crate::Last::<Test>::get();
    let set_id = SetId::get();
    let message = export_message(&GENESIS, set_id, &last.hash);
    let seed = Members::get()[usize::from(signer)];
    let signature = ExportSignature { signer, signature: pair(seed).sign(&message) };
    ExportVote { set_id, sequence: last.sequence, signature }
}

/// Why a transaction did not get into the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was not authorised.
    Invalid(TransactionValidityError),
    /// It was, and then failed.
    Failed(DispatchError),
}

/// What the pool says of a signature.
pub fn pool(vote: ExportVote) -> Result<ValidTransaction, TransactionValidityError> {
    let call = Call::<Test>::sign_export { vote };
    let judged = call.authorize(TransactionSource::External).expect("it is authorised");
    judged.map(|(validity, _)| validity)
}

pub fn dispatch(vote: ExportVote) -> DispatchResultWithPostInfo {
    let call = RuntimeCall::from(Call::<Test>::sign_export { vote });
    call.dispatch(frame_system::RawOrigin::Authorized.into())
}

/// As a block does: authorises it, then dispatches it.
pub fn submit(vote: ExportVote) -> Result<(), Refused> {
    pool(vote).map_err(Refused::Invalid)?;
    dispatch(vote).map(drop).map_err(|error| Refused::Failed(error.error))
}

/// As many sequencers sign as must.
pub fn all_sign() {
    for signer in 0..Sequencers::quorum() as u16 {
        submit(vote(signer)).expect("it is wanted");
    }
}

/// Signs the last batch if it is to be signed.
pub fn sign_what_waits() {
    if crate::InSigning::<Test>::exists() {
        all_sign();
    }
}

/// An L1 that applies batches in their order, from when settlement began.
pub struct L1 {
    pub scores: BTreeMap<H160, ExportedScore>,
    pub order: ExportOrder,
    /// The batch that it applied last.
    pub applied: u32,
}

impl Default for L1 {
    fn default() -> Self {
        Self {
            scores: BTreeMap::new(),
            order: ExportOrder::starting(Export::begin_settlement()),
            applied: 0,
        }
    }
}

impl L1 {
    /// Settles all that is signed, as the settlement will: checked, in order, once.
    pub fn settle(&mut self) {
        self.settle_some(|_| true);
    }

    /// Settles what somebody brings of what is signed, as far as L1 takes it.
    pub fn settle_some(&mut self, is_brought: impl Fn(u32) -> bool) {
        let mut brought = Export::exports(0, u32::MAX).signed;
        brought.retain(|signed| is_brought(signed.export.sequence));
        for signed in &brought {
            let set_id = signed.certificate.set_id;
            signed.verify(&GENESIS, set_id, &keys_of(set_id)).expect("a quorum signed it");
            self.order.show(&signed.export);
        }
        let mut applied = vec![];
        for SignedExport { export, .. } in &brought {
            if self.order.take(export).is_err() {
                continue;
            }
            assert!(export.sequence > self.applied, "none comes twice");
            self.applied = export.sequence;
            applied.push(export.sequence);
            for entry in &export.entries {
                self.scores.insert(entry.address, entry.exported);
            }
        }
        Export::settled(&applied);
    }

    /// What it says of an address.
    pub fn says(&self, n: u32) -> ExportedScore {
        self.scores.get(&address(n)).copied().unwrap_or_default()
    }
}

/// The events of this pallet, all of them.
pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet()
}
