//! A runtime of this pallet alone, and blocks of it.

use crate as pallet_participation;
use crate::pallet::{Call, Config, Error};
use cascoin_l2_primitives::{
    chain::AccountId,
    consensus::LeaderDigest,
    sequencers::{
        Offence, OnCorrelation, OnLowLiveness, OnOffence, OnSessionJudged, SequencerBits,
        SequencerSetProvider, SessionUptime,
    },
};
use frame_support::{
    derive_impl, dispatch::RawOrigin, parameter_types, storage::with_storage_layer, traits::Hooks,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentityLookup},
    BuildStorage, Digest, DispatchError, Weight,
};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Participation: pallet_participation,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
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
    /// Seeds of the sequencers' accounts, in the order of the set.
    pub static Set: Vec<u8> = vec![];
    pub static SetId: u64 = 0;
    pub static Author: Option<AccountId> = None;
    /// Who was to blame for low liveness, each time.
    pub static Slow: Vec<Vec<AccountId>> = vec![];
    /// Offences as they were told of.
    pub static Told: Vec<Offence> = vec![];
    /// Sessions as they were told of: uptimes of accounts.
    pub static Judged: Vec<Vec<(AccountId, u16)>> = vec![];
    /// Pairs that were found to be correlated.
    pub static Correlated: Vec<(AccountId, AccountId)> = vec![];
    pub static SessionBlocks: u32 = 10;
    /// How many may lead, if not all.
    pub static Leading: Option<usize> = None;
    pub const MinUptime: u16 = 500;
    pub const ReportInterval: u32 = REPORT_INTERVAL;
}

/// Blocks of an epoch.
pub const REPORT_INTERVAL: u32 = 200;

/// The relay key of an account.
pub fn relay_pair(seed: u8) -> ed25519::Pair {
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
        Set::get().len()
    }

    fn account(index: u16) -> Option<AccountId> {
        Set::get().get(usize::from(index)).map(|seed| account(*seed))
    }

    fn leaders() -> usize {
        Leading::get().unwrap_or(Self::members())
    }

    fn relay_key(index: u16) -> Option<ed25519::Public> {
        Set::get().get(usize::from(index)).map(|seed| relay_pair(*seed).public())
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        (0..Set::get().len() as u16).find(|index| Self::relay_key(*index) == Some(*key))
    }
}

pub struct Recorder;
impl OnLowLiveness for Recorder {
    fn on_low_liveness(failed: &[AccountId]) {
        Slow::mutate(|told| told.push(failed.to_vec()));
    }

    fn max_low_liveness_weight() -> Weight {
        Weight::from_parts(20_000, 0)
    }
}

impl OnOffence for Recorder {
    fn on_offence(offence: &Offence) {
        Told::mutate(|all| all.push(offence.clone()));
    }

    fn max_offence_weight() -> Weight {
        Weight::from_parts(7, 0)
    }
}

impl OnCorrelation for Recorder {
    fn is_known(one: &AccountId, other: &AccountId) -> bool {
        let pair = [(one.clone(), other.clone()), (other.clone(), one.clone())];
        Correlated::get().iter().any(|known| pair.contains(known))
    }

    fn on_correlation(one: &AccountId, other: &AccountId) {
        Correlated::mutate(|all| all.push((one.clone(), other.clone())));
    }

    fn max_weight() -> Weight {
        Weight::from_parts(5, 0)
    }
}

impl OnSessionJudged for Recorder {
    fn on_session_judged(uptimes: &[SessionUptime]) -> Weight {
        let uptimes = uptimes.iter().map(|one| (one.account.clone(), one.uptime_permille));
        Judged::mutate(|all| all.push(uptimes.collect()));
        Weight::from_parts(100, 0)
    }

    fn max_judgement_weight() -> Weight {
        Weight::from_parts(1_000, 0)
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type Author = Author;
    type SessionBlocks = SessionBlocks;
    type ReportInterval = ReportInterval;
    type MinUptime = MinUptime;
    type OnOffence = Recorder;
    type OnLowLiveness = Recorder;
    type OnCorrelation = Recorder;
    type OnSessionJudged = Recorder;
    type WeightInfo = ();
}

/// State at genesis, with sequencers 1 to `sequencers`.
pub fn new_test_ext(sequencers: u8) -> sp_io::TestExternalities {
    Set::set((1..=sequencers).collect());
    SetId::set(0);
    Told::set(vec![]);
    Judged::set(vec![]);
    Correlated::set(vec![]);
    SessionBlocks::set(10);
    Leading::set(None);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| Participation::check_state().expect("sound at genesis"));
    ext
}

pub fn bits(indices: impl IntoIterator<Item = u16>) -> SequencerBits {
    indices.into_iter().collect()
}

/// A block: who makes it, in which round, and what its inherent says.
#[derive(Clone, Debug)]
pub struct Made {
    pub author: u8,
    pub round: u16,
    pub signers: SequencerBits,
    pub failed: SequencerBits,
    pub term: u32,
    /// The round in which the block before was signed.
    pub signed_in: u16,
    /// Who voted for it or another at its height.
    pub heard: SequencerBits,
    /// The set that it puts in force, as the session pallets do: before its inherent.
    pub changes_to: Option<Vec<u8>>,
    /// The set that takes over as the block begins, and makes it.
    pub takes_over: Option<Vec<u8>>,
}

impl Made {
    /// In the first round, with these signers of the block before.
    pub fn by(author: u8, signers: impl IntoIterator<Item = u16>) -> Self {
        Self {
            author,
            round: 0,
            signers: bits(signers),
            failed: SequencerBits::NOBODY,
            term: 0,
            signed_in: 0,
            heard: SequencerBits::NOBODY,
            changes_to: None,
            takes_over: None,
        }
    }
}

/// Makes the next block; the error is that of its inherent.
pub fn block(made: Made) -> Result<Weight, DispatchError> {
    let height = System::block_number() + 1;
    let digest = LeaderDigest { term: made.term, round: made.round, leader: 0 }.item();
    System::reset_events();
    System::initialize(&height, &Default::default(), &Digest { logs: vec![digest] });
    Author::set(Some(account(made.author)));
    if let Some(set) = made.takes_over {
        SetId::mutate(|id| *id += 1);
        Set::set(set);
        Participation::follow();
    }
    if let Some(set) = made.changes_to {
        SetId::mutate(|id| *id += 1);
        Set::set(set);
    }
    Participation::on_initialize(height);
    let Made { signed_in, signers, heard, failed, .. } = made;
    // As a dispatch does: what fails leaves no trace.
    let noted = with_storage_layer(|| {
        Participation::note(RawOrigin::None.into(), signed_in, signers, heard, failed)
    });
    let weight = noted.map_err(|error| error.error)?.actual_weight.unwrap_or_default();
    Participation::on_finalize(height);
    Participation::check_state().expect("sound between blocks");
    Ok(weight)
}

/// What `block` gives when its inherent is refused.
pub fn refused(error: Error<Test>) -> Result<Weight, DispatchError> {
    Err(error.into())
}

/// The inherent of a call, for comparing.
pub fn call(round: u16, signers: SequencerBits, failed_leaders: SequencerBits) -> Call<Test> {
    Call::note { round, signers, heard: SequencerBits::NOBODY, failed_leaders }
}
