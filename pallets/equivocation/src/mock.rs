//! A runtime of this pallet alone, and sequencers who sign.

use crate as pallet_equivocation;
use crate::pallet::{Call, Config};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash},
    consensus::{DoubleSignEvidence, GrandpaRound, SignedStatement, Statement},
    sequencers::{Offence, OnOffence, SequencerSetProvider},
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Authorize, Get, Hooks},
    weights::Weight,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Dispatchable},
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage,
};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<u64, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Equivocation: pallet_equivocation,
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
    /// Seeds of the sequencers' accounts and of their keys, in the order of the set.
    pub static Members: Vec<(u8, u8)> = vec![];
    /// Keys as the set's pallets show them; they lag behind the id within a block.
    pub static Keys: Vec<ed25519::Public> = vec![];
    pub static SetId: u64 = 0;
    pub static KeptBlocks: u32 = 0;
    /// Who was named as reporter, each time somebody was.
    pub static Reporters: Vec<AccountId> = vec![];
    /// Offences as they were told of.
    pub static Told: Vec<Offence> = vec![];
}

pub const GENESIS: H256 = H256([69; 32]);

pub fn pair(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
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
        Members::get().get(usize::from(index)).map(|(seed, _)| account(*seed))
    }

    fn relay_key(_: u16) -> Option<ed25519::Public> {
        None
    }

    fn index_of_relay_key(_: &ed25519::Public) -> Option<u16> {
        None
    }
}

pub struct VotingKeys;
impl Get<Vec<ed25519::Public>> for VotingKeys {
    fn get() -> Vec<ed25519::Public> {
        Keys::get()
    }
}

pub struct Recorder;
impl OnOffence for Recorder {
    fn on_offence(offence: &Offence) {
        Told::mutate(|all| all.push(offence.clone()));
    }

    fn on_reported_offence(offence: &Offence, reporter: &AccountId) {
        Self::on_offence(offence);
        Reporters::mutate(|all| all.push(reporter.clone()));
    }

    fn max_offence_weight() -> Weight {
        Weight::zero()
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type VotingKeys = VotingKeys;
    type KeptBlocks = KeptBlocks;
    type OnOffence = Recorder;
    type WeightInfo = ();
}

/// State at L2 block 1, with sequencers 1 to `sequencers` in set 0. The key of
/// each has the seed of its account.
pub fn new_test_ext(sequencers: u8) -> sp_io::TestExternalities {
    let members: Vec<_> = (1..=sequencers).map(|seed| (seed, seed)).collect();
    Keys::set(members.iter().map(|(_, key)| pair(*key).public()).collect());
    Members::set(members);
    SetId::set(0);
    KeptBlocks::set(0);
    Told::set(vec![]);
    Reporters::set(vec![]);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| {
        System::set_block_number(1);
        Equivocation::do_try_state().expect("the state is sound at genesis");
    });
    ext
}

/// Runs one block that puts another set in force, as the session pallets do: its
/// id and accounts at the beginning, its keys at the end.
pub fn change_set(members: Vec<(u8, u8)>) {
    System::set_block_number(System::block_number() + 1);
    SetId::mutate(|id| *id += 1);
    Members::set(members);
    Equivocation::on_initialize(System::block_number());
    Keys::set(Members::get().iter().map(|(_, key)| pair(*key).public()).collect());
    Equivocation::on_finalize(System::block_number());
    Equivocation::do_try_state().expect("the state is sound between blocks");
}

pub const AT: GrandpaRound = GrandpaRound { epoch: 0, height: 40, round: 2 };

/// `statement`, signed by `key`.
pub fn sign(key: u8, set_id: u64, at: GrandpaRound, statement: Statement) -> SignedStatement {
    let signature = pair(key).sign(&statement.payload(&GENESIS, set_id, at));
    SignedStatement { statement, signature }
}

/// Evidence that `key` signed both.
pub fn evidence_of(
    key: u8,
    set_id: u64,
    at: GrandpaRound,
    one: Statement,
    other: Statement,
) -> DoubleSignEvidence {
    let (one, other) = (sign(key, set_id, at, one), sign(key, set_id, at, other));
    DoubleSignEvidence::new(set_id, pair(key).public(), at, one, other).expect("a conflict")
}

pub fn block(seed: u8) -> BlockHash {
    BlockHash::repeat_byte(seed)
}

/// Evidence that `key` prevoted for two blocks.
pub fn evidence(key: u8, set_id: u64) -> DoubleSignEvidence {
    let prevote = |seed| Statement::Prevote { block: Some(block(seed)) };
    evidence_of(key, set_id, AT, prevote(1), prevote(2))
}

/// Why a transaction did not get into the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was not authorised.
    Invalid(TransactionValidityError),
    /// It was, and then failed.
    Failed(sp_runtime::DispatchError),
}

impl<E: Into<TransactionValidityError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Invalid(error.into())
    }
}

/// What the pool says of a report.
pub fn pool(evidence: DoubleSignEvidence) -> Result<ValidTransaction, TransactionValidityError> {
    let call = Call::report { evidence: Box::new(evidence), reporter: None };
    authorize(&call, TransactionSource::External)
}

fn authorize(
    call: &Call<Test>,
    source: TransactionSource,
) -> Result<ValidTransaction, TransactionValidityError> {
    call.authorize(source).expect("the call is authorised").map(|(validity, _)| validity)
}

/// Reports as a block does: authorises the call, then dispatches it.
pub fn report(evidence: DoubleSignEvidence) -> Result<(), Refused> {
    report_as(None, evidence)
}

/// The same, with a reporter's name.
pub fn report_as(reporter: Option<u8>, evidence: DoubleSignEvidence) -> Result<(), Refused> {
    let call = Call::report { evidence: Box::new(evidence), reporter: reporter.map(account) };
    authorize(&call, TransactionSource::InBlock).map_err(Refused::Invalid)?;
    RuntimeCall::from(call)
        .dispatch(frame_system::RawOrigin::Authorized.into())
        .map(drop)
        .map_err(|error| Refused::Failed(error.error))
}
