//! A runtime of this pallet alone, linked addresses, sequencers that vote, and who is told.

use crate as pallet_score_attestation;
use crate::pallet::{Call, Config};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::{
        attestation::{score_message, L1Scores, LinkedAddresses, OnAttestedScore, ScoreVote},
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
use std::collections::BTreeSet;

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<u64, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Attestation: pallet_score_attestation,
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
    pub static Linked: BTreeSet<H160> = BTreeSet::new();
    /// What was told, in its order.
    pub static Told: Vec<(H160, u8)> = vec![];
}

pub const GENESIS: H256 = H256([69; 32]);
pub const INTERVAL: u32 = 10;
/// What telling a median takes.
pub const TELLING: Weight = Weight::from_parts(1_000, 0);

pub fn pair(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
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
        Members::get().get(usize::from(index)).map(|seed| pair(*seed).public())
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        let members = Members::get();
        members.iter().position(|seed| pair(*seed).public() == *key).map(|index| index as u16)
    }
}

/// In the order of their bytes.
pub struct Links;
impl LinkedAddresses for Links {
    fn following(last: Option<H160>, most: u32) -> Vec<H160> {
        let linked = Linked::get();
        let after = linked.into_iter().filter(|address| last.is_none_or(|last| *address > last));
        after.take(most as usize).collect()
    }
}

pub struct Listener;
impl OnAttestedScore for Listener {
    fn on_attested_score(address: &H160, score: Score) {
        Told::mutate(|told| told.push((*address, score.get())));
    }

    fn weight() -> Weight {
        TELLING
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type Addresses = Links;
    type OnScore = Listener;
    type Interval = frame_support::traits::ConstU32<INTERVAL>;
    type WeightInfo = ();
}

/// State before block 1 with so many sequencers and linked addresses.
pub fn new_test_ext(sequencers: u8, linked: u32) -> sp_io::TestExternalities {
    Members::set((1..=sequencers).collect());
    SetId::set(0);
    Linked::set((1..=linked).map(address).collect());
    Told::set(vec![]);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext: sp_io::TestExternalities = storage.into();
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
    });
    ext
}

pub fn address(n: u32) -> H160 {
    H160::from_low_u64_be(u64::from(n))
}

/// So many blocks in which there is nothing else to do.
pub fn run(blocks: u32) {
    for _ in 0..blocks {
        System::set_block_number(System::block_number() + 1);
        Attestation::on_initialize(System::block_number());
        Attestation::on_idle(System::block_number(), Weight::MAX);
        Attestation::check_state().expect("sound between blocks");
    }
}

pub fn scores(points: &[Option<u8>]) -> L1Scores {
    let score = |some: &Option<u8>| some.map(|points| Score::saturating(points.into()));
    L1Scores::truncate_from(points.iter().map(score).collect())
}

/// A sequencer's vote in this round.
pub fn vote(signer: u16, points: &[Option<u8>]) -> ScoreVote {
    let (set_id, round) = (SetId::get(), Attestation::score_round().number);
    let scores = scores(points);
    let message = score_message(&GENESIS, set_id, round, &scores);
    let signature = pair(Members::get()[usize::from(signer)]).sign(&message);
    ScoreVote { set_id, round, signer, scores, signature }
}

/// Why a transaction did not get into the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was not authorised.
    Invalid(TransactionValidityError),
    /// It was, and then failed.
    Failed(DispatchError),
}

/// What the pool says of a vote.
pub fn pool(vote: ScoreVote) -> Result<ValidTransaction, TransactionValidityError> {
    let call = Call::<Test>::attest { vote };
    let judged = call.authorize(TransactionSource::External).expect("it is authorised");
    judged.map(|(validity, _)| validity)
}

pub fn dispatch(vote: ScoreVote) -> DispatchResultWithPostInfo {
    let call = RuntimeCall::from(Call::<Test>::attest { vote });
    call.dispatch(frame_system::RawOrigin::Authorized.into())
}

/// As a block does: authorises it, then dispatches it.
pub fn submit(vote: ScoreVote) -> Result<(), Refused> {
    pool(vote.clone()).map_err(Refused::Invalid)?;
    dispatch(vote).map(drop).map_err(|error| Refused::Failed(error.error))
}

/// Each of the sequencers, from the first on, gives one score to the first address of the
/// round and none to others.
pub fn all_say(points: &[u8]) {
    let addresses = Attestation::score_round().addresses.len();
    for (signer, points) in (0..).zip(points) {
        let mut all = vec![None; addresses];
        all[0] = Some(*points);
        submit(vote(signer, &all)).expect("it is wanted");
    }
}

/// The events of this pallet, all of them.
pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet()
}
