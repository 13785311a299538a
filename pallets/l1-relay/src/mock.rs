//! A runtime of this pallet alone, an L1 to read, and sequencers to vote.

use crate as pallet_l1_relay;
use crate::pallet::{Call, Config};
use cascoin_l2_primitives::{
    chain::{AccountId, ChainParameters, L1Start, Moment},
    l1::{L1Hash, OutPoint},
    relay::{
        local::LocalBlock, pages_root, paginate, ForkPoint, ForkVote, L1BlockContext,
        L1BlockDigest, L1Event, OnL1BlockApplied, OnL1Event, OnL1Fork, PageProof, RelayRange,
        RelayVote,
    },
    sequencers::{Offence, OnOffence, SequencerSetProvider},
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{Authorize, Hooks, Time},
    weights::Weight,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Dispatchable},
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage,
};
use std::cell::RefCell;

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<u64, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Relay: pallet_l1_relay,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockWeights = BlockWeights;
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
    pub BlockWeights: frame_system::limits::BlockWeights =
        frame_system::limits::BlockWeights::simple_max(Weight::from_parts(1_000_000, u64::MAX));
    /// Seeds of the sequencers' keys, in the order of the set.
    pub static Members: Vec<u8> = vec![];
    pub static SetId: u64 = 0;
    pub static Now: Moment = 1_700_000_000_000;
    pub static MinSequencers: u32 = 1;
    /// Heights as they were applied.
    pub static AppliedHeights: Vec<u32> = vec![];
    /// Heights of the fork points that the recorder was told of; 0 for a recovery.
    pub static Forks: Vec<u32> = vec![];
    pub static EventWeight: Weight = Weight::zero();
    /// Time for which a sequencer may withhold its votes, seconds; 0: for ever.
    pub static WithholdingS: u64 = 0;
    pub static Unjudged: bool = false;
    /// Who was punished, in order.
    pub static Punished: Vec<Offence> = vec![];
    /// Indices of sequencers that cannot vote.
    pub static Barred: Vec<u16> = vec![];
}

thread_local! {
    static DELIVERED: RefCell<Vec<(u32, L1Event)>> = const { RefCell::new(Vec::new()) };
}

/// Events as they were handed on, with their block's height.
pub struct Delivered;
impl Delivered {
    pub fn get() -> Vec<(u32, L1Event)> {
        DELIVERED.with_borrow(Clone::clone)
    }
}

pub const GENESIS: H256 = H256([69; 32]);
pub const START: u32 = 100;
pub const TIMEOUT_MS: u64 = 600_000;

pub fn parameters() -> ChainParameters {
    ChainParameters {
        chain_id: 3,
        l1_start: L1Start { height: START, hash: L1Hash([1; 32]) },
        block_time_ms: 500,
        blocks_per_leader: 4,
        session_blocks: 8,
        min_sequencers: MinSequencers::get(),
        mint_timeout_ms: TIMEOUT_MS,
        relay_withholding_s: WithholdingS::get(),
        ..Default::default()
    }
}

pub struct Parameters;
impl frame_support::traits::Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        parameters()
    }
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

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
        if Barred::get().contains(&index) {
            return None;
        }
        Members::get().get(usize::from(index)).map(|seed| pair(*seed).public())
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        let index = Members::get().iter().position(|seed| pair(*seed).public() == *key)?;
        Some(index as u16)
    }
}

pub struct Recorder;
impl OnL1Event for Recorder {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        DELIVERED.with_borrow_mut(|all| all.push((block.height, event.clone())));
    }

    fn max_event_weight() -> Weight {
        EventWeight::get()
    }
}
impl OnL1BlockApplied for Recorder {
    fn on_applied(block: &L1BlockContext) {
        AppliedHeights::mutate(|all| all.push(block.height));
    }

    fn max_applied_weight() -> Weight {
        Weight::zero()
    }
}
impl OnL1Fork for Recorder {
    fn on_fork(common: &L1BlockContext) {
        Forks::mutate(|all| all.push(common.height));
    }

    fn on_recovered() {
        Forks::mutate(|all| all.push(0));
    }

    fn max_fork_weight() -> Weight {
        Weight::zero()
    }
}

impl OnOffence for Recorder {
    fn on_offence(offence: &Offence) {
        Punished::mutate(|all| all.push(offence.clone()));
    }

    fn max_offence_weight() -> Weight {
        Weight::zero()
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type Parameters = Parameters;
    type Time = Clock;
    type OnEvent = Recorder;
    type OnApplied = Recorder;
    type OnFork = Recorder;
    type OnOffence = Recorder;
    type Unjudged = Unjudged;
    type WeightInfo = ();
}

/// State at L2 block 1 with `sequencers` in set 7.
pub fn new_test_ext(sequencers: u8) -> sp_io::TestExternalities {
    Members::set((1..=sequencers).collect());
    SetId::set(7);
    Now::set(1_700_000_000_000);
    MinSequencers::set(1);
    DELIVERED.set(Vec::new());
    AppliedHeights::set(vec![]);
    Forks::set(vec![]);
    EventWeight::set(Weight::zero());
    WithholdingS::set(0);
    Unjudged::set(false);
    Punished::set(vec![]);
    Barred::set(vec![]);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| run_to(1));
    ext
}

/// Runs empty blocks up to `block`, 500 ms each.
pub fn run_to(block: u32) {
    while System::block_number() < block {
        Relay::do_try_state().expect("the state is sound between blocks");
        System::set_block_number(System::block_number() + 1);
        Now::mutate(|now| *now += 500);
        Relay::on_initialize(System::block_number());
    }
}

/// Runs `blocks` empty blocks.
pub fn run(blocks: u32) {
    run_to(System::block_number() + blocks);
}

/// A burn event that is told apart by `number`.
pub fn event(number: u32) -> L1Event {
    let txid = L1Hash::of(&number.to_le_bytes());
    L1Event::Burn {
        outpoint: OutPoint { txid, vout: number },
        value: u64::from(number) + 1,
        payload: b"L2BURN".to_vec().try_into().expect("80 bytes fit"),
    }
}

/// The L1 block above `below` with `events`; `branch` tells rivals apart.
pub fn block_above(below: &L1BlockDigest, branch: u8, events: Vec<L1Event>) -> LocalBlock {
    let height = below.height + 1;
    let event_count = events.len() as u32;
    let pages = paginate(events);
    let mut hash = [branch; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    let digest = L1BlockDigest {
        height,
        hash: L1Hash(hash),
        previous: below.hash,
        time: 1_600_000_000 + height * 150,
        median_time: 1_600_000_000 + height * 150 - 900,
        event_count,
        pages_root: pages_root(&pages),
    };
    LocalBlock { digest, pages }
}

/// The digest that the relay starts from.
pub fn start() -> L1BlockDigest {
    let start = parameters().l1_start;
    L1BlockDigest { height: start.height, hash: start.hash, ..Default::default() }
}

/// Blocks above the start; `events[i]` is the number of events of the i-th.
pub fn l1_chain(branch: u8, events: &[u32]) -> Vec<LocalBlock> {
    let (mut below, mut number) = (start(), 0);
    events
        .iter()
        .map(|&count| {
            let block = block_above(&below, branch, (number..number + count).map(event).collect());
            number += count;
            below = block.digest;
            block
        })
        .collect()
}

/// The digests of `blocks`.
pub fn digests(blocks: &[LocalBlock]) -> Vec<L1BlockDigest> {
    blocks.iter().map(|block| block.digest).collect()
}

/// A vote signed by the sequencer at `voter`.
pub fn vote_for(voter: u16, digests: &[L1BlockDigest], tip_time: u32) -> RelayVote {
    let range = RelayRange(digests.to_vec().try_into().expect("at most 64 digests"));
    let set_id = SetId::get();
    let message = RelayVote::message(&GENESIS, set_id, &range, tip_time);
    let seed = Members::get()[usize::from(voter)];
    RelayVote { set_id, voter, range, tip_time, signature: pair(seed).sign(&message) }
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

/// What the pool says of a call.
pub fn pool(call: &Call<Test>) -> Result<ValidTransaction, TransactionValidityError> {
    authorize(call, TransactionSource::External)
}

fn authorize(
    call: &Call<Test>,
    source: TransactionSource,
) -> Result<ValidTransaction, TransactionValidityError> {
    call.authorize(source).expect("all calls are authorised").map(|(validity, _)| validity)
}

/// Runs a call as a block does: authorises it, then dispatches it.
pub fn submit(call: Call<Test>) -> Result<(), Refused> {
    authorize(&call, TransactionSource::InBlock).map_err(Refused::Invalid)?;
    dispatch(call).map(drop).map_err(|error| Refused::Failed(error.error))
}

/// Dispatches a call that was authorised.
pub fn dispatch(call: Call<Test>) -> DispatchResultWithPostInfo {
    RuntimeCall::from(call).dispatch(frame_system::RawOrigin::Authorized.into())
}

/// Casts a vote as a block does.
pub fn cast(vote: RelayVote) -> Result<(), Refused> {
    submit(Call::vote { vote })
}

/// The sequencers `voters` vote for `digests`.
pub fn all_vote(voters: core::ops::Range<u16>, digests: &[L1BlockDigest], tip_time: u32) {
    for voter in voters {
        cast(vote_for(voter, digests, tip_time)).expect("the vote is taken");
    }
}

/// Where the branch of `above` leaves the attested one, at `common`.
pub fn fork_at(common: &L1BlockDigest, above: &L1BlockDigest) -> ForkPoint {
    ForkPoint {
        common: L1BlockContext::from(common),
        branch: above.hash,
        replaced: crate::Attested::<Test>::get().hash,
    }
}

/// A fork vote signed by the sequencer at `voter`.
pub fn fork_vote(voter: u16, fork: ForkPoint, tip_time: u32) -> ForkVote {
    let set_id = SetId::get();
    let message = ForkVote::message(&GENESIS, set_id, &fork, tip_time);
    let seed = Members::get()[usize::from(voter)];
    ForkVote { set_id, voter, fork, tip_time, signature: pair(seed).sign(&message) }
}

/// Casts a fork vote as a block does.
pub fn cast_fork(vote: ForkVote) -> Result<(), Refused> {
    submit(Call::vote_fork { vote })
}

/// The call that delivers a page of `block`.
pub fn page_call(block: &LocalBlock, index: u32) -> Call<Test> {
    Call::apply_page {
        height: block.digest.height,
        page: block.pages[index as usize].clone(),
        proof: PageProof::of(&block.pages, index).expect("the block has this page"),
    }
}

/// Delivers a page as a block does.
pub fn deliver(block: &LocalBlock, index: u32) -> Result<(), Refused> {
    submit(page_call(block, index))
}

/// Heights of the attested and of the applied block.
pub fn heights() -> (u32, u32) {
    (crate::Attested::<Test>::get().height, crate::Applied::<Test>::get().height)
}

/// The events of this pallet in this block.
pub fn relay_events() -> Vec<crate::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Relay(event) => Some(event),
            _ => None,
        })
        .collect()
}
