//! A runtime of this pallet, whose money is raw storage under two prefixes; and a chain of
//! blocks of it, with an L1 that can fork.

use crate::{self as pallet_recovery, pallet::Config, NoteOutcome};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockHash, BlockNumber, Header},
    recovery::{
        events_key, recovery_message, Books, DoubtProvider, Effect, Fall, Outcome, PointLog,
        RecoveryPoint, RecoveryStep, RecoverySubject, RecoveryVote, RelayRewind, StandingDoubt,
        Wanted, MAX_EVENTS_NODES,
    },
    relay::L1BlockContext,
    sequencers::SequencerSetProvider,
};
use codec::Decode;
use frame_support::{
    derive_impl,
    dispatch::RawOrigin,
    parameter_types,
    storage::{unhashed, with_storage_layer},
    traits::Hooks,
    weights::Weight,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, DispatchTransaction, Hash as _, Header as _, IdentityLookup},
    BuildStorage, Digest, DispatchError, StateVersion,
};
use sp_trie::{
    recorder::Recorder, LayoutV1, MemoryDB, Trie, TrieDBBuilder, TrieDBMutBuilder, TrieMut,
};
use std::collections::BTreeMap;

pub type Extrinsic =
    generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Recovery: pallet_recovery,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type MultiBlockMigrator = Recovery;
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

pub const FEE: u64 = 1;
/// The account that fees go to.
pub const POT: u8 = 255;
pub const PATIENCE: BlockNumber = 20;
/// For each further block that nobody brings.
pub const NEXT_PATIENCE: BlockNumber = 5;
pub const KEPT: BlockNumber = 1_000;
/// What repeating a transaction weighs. Two of them fit into a block.
pub const REPEATING: Weight = Weight::from_parts(10, 0);

parameter_types! {
    /// Seeds of the sequencers' keys, in the order of the set.
    pub static Members: Vec<u8> = vec![1, 2, 3, 4];
    pub static SetId: u64 = 0;
    pub static Threshold: Balance = 100;
    pub static Standing: Option<StandingDoubt> = None;
    /// Burns of L1's blocks, of its branch alone; the first has height 1.
    pub static Branch: Vec<Vec<u8>> = vec![];
    /// Height of the last L1 block that is applied.
    pub static Applied: u32 = 0;
    /// Whether its next block is delivered in part.
    pub static InPart: bool = false;
    /// Burns that had their turn again, and whether others have not.
    pub static Turns: u64 = 0;
    pub static TurnsDue: bool = false;
    /// Steps of the mending, as they were taken, and how many it takes.
    pub static Mended: Vec<u32> = vec![];
    pub static MendSteps: u32 = 3;
    /// Whether the code changed since any block.
    pub static CodeChanged: bool = false;
    /// The first block that may not be repeated yet.
    pub static Behind: Option<BlockNumber> = None;
    pub const Budget: Weight = Weight::from_parts(25, 0);
    pub const KeptBlocks: BlockNumber = KEPT;
    pub const PatienceBlocks: BlockNumber = PATIENCE;
    pub const NextPatienceBlocks: BlockNumber = NEXT_PATIENCE;
    /// Ids of the transfers that were passed over, as they were.
    pub static PassedOver: Vec<u8> = vec![];
    /// A transfer that the runtime fails on in the replay, as if it ran out of memory: no
    /// block can hold it.
    pub static Trap: Option<u8> = None;
}

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
        Members::get().get(usize::from(index)).map(|seed| account(*seed))
    }

    fn relay_key(index: u16) -> Option<ed25519::Public> {
        Members::get().get(usize::from(index)).map(|seed| pair(*seed).public())
    }

    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16> {
        let members = Members::get();
        members.iter().position(|seed| pair(*seed).public() == *key).map(|index| index as u16)
    }
}

pub struct Doubt;
impl DoubtProvider for Doubt {
    fn standing() -> Option<StandingDoubt> {
        Standing::get()
    }

    fn weight() -> Weight {
        Weight::zero()
    }

    fn recovered(common: &L1BlockContext) {
        assert_eq!(Standing::get().map(|standing| standing.common), Some(*common));
        Standing::set(None);
    }
}

pub struct Relay;
impl RelayRewind for Relay {
    fn rewind(common: &L1BlockContext) {
        Applied::set(common.height);
    }

    fn applied() -> u32 {
        Applied::get()
    }

    fn is_settled() -> bool {
        Applied::get() as usize == Branch::get().len() && !TurnsDue::get()
    }

    fn is_between_blocks() -> bool {
        !InPart::get()
    }

    fn turns() -> u64 {
        Turns::get()
    }

    fn rewind_weight() -> Weight {
        Weight::zero()
    }
}

pub fn money(who: u8) -> Vec<u8> {
    [b"money:".as_slice(), &[who]].concat()
}

pub fn burned(burn: u8) -> Vec<u8> {
    [b"burned:".as_slice(), &[burn]].concat()
}

fn nonce_key(who: u8) -> Vec<u8> {
    [b"nonce:".as_slice(), &[who]].concat()
}

fn number(key: &[u8]) -> u64 {
    unhashed::get::<u64>(key).unwrap_or(0)
}

/// What an account has.
pub fn balance(who: u8) -> u64 {
    number(&money(who))
}

/// Transactions of an account that stand in blocks.
pub fn nonce(who: u8) -> u64 {
    number(&nonce_key(who))
}

/// Whether a burn is minted.
pub fn is_minted(burn: u8) -> bool {
    unhashed::exists(&burned(burn))
}

pub fn set_balance(who: u8, amount: u64) {
    if amount == 0 {
        unhashed::kill(&money(who));
    } else {
        unhashed::put(&money(who), &amount);
    }
}

pub fn recipient_of(burn: u8) -> u8 {
    1 + burn % 4
}

pub fn value_of(burn: u8) -> u64 {
    50 + u64::from(burn)
}

fn mint(burn: u8) {
    if !is_minted(burn) {
        unhashed::put(&burned(burn), &1u8);
        let who = recipient_of(burn);
        set_balance(who, balance(who) + value_of(burn));
    }
}

/// Somebody sends coins. It is encoded by four bytes: the first one is never 0, which an
/// inherent begins with. From [`BATCH`] on the amount is that of two payments, of as many
/// coins as it is above: the second may fail without the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: u8,
    pub to: u8,
    pub amount: u8,
    /// No two of a chain have the same.
    pub id: u8,
}

impl Transfer {
    pub fn encoded(self) -> Vec<u8> {
        vec![self.from, self.to, self.amount, self.id]
    }

    pub fn decode(encoded: &[u8]) -> Option<Self> {
        match *encoded {
            [from, to, amount, id] if from != 0 => Some(Self { from, to, amount, id }),
            _ => None,
        }
    }

    /// What one payment is, and whether a second one follows.
    pub fn payments(self) -> (u64, bool) {
        match self.amount.checked_sub(BATCH) {
            Some(amount) if amount < 50 => (amount.into(), true),
            _ => (self.amount.into(), false),
        }
    }

    /// With its fee, or not at all; whether the second payment was made as well, if there is
    /// one.
    fn apply(self) -> Result<bool, DispatchError> {
        let (amount, is_batch) = self.payments();
        let left = balance(self.from).checked_sub(amount + FEE).ok_or(POOR)?;
        set_balance(self.from, left);
        set_balance(self.to, balance(self.to) + amount);
        set_balance(POT, balance(POT) + FEE);
        if !is_batch {
            return Ok(true);
        }
        let Some(left) = balance(self.from).checked_sub(amount) else { return Ok(false) };
        set_balance(self.from, left);
        set_balance(self.to, balance(self.to) + amount);
        Ok(true)
    }
}

/// The least amount that means two payments; from 50 above it is one again.
pub const BATCH: u8 = 100;

/// Why a transfer fails.
pub const POOR: DispatchError = DispatchError::Unavailable;

pub struct Ledger;
impl Books for Ledger {
    fn parts() -> Vec<Vec<u8>> {
        vec![b"burned:".to_vec(), b"money:".to_vec()]
    }

    fn merge(_: &[u8], old: Option<Vec<u8>>, _: Option<Vec<u8>>) -> Option<Vec<u8>> {
        old
    }

    fn mend(_: BlockNumber, step: u32) -> Option<u32> {
        Mended::mutate(|mended| mended.push(step));
        Some(step + 1).filter(|next| *next < MendSteps::get())
    }

    fn mend_weight() -> Weight {
        Weight::zero()
    }

    fn merge_weight() -> Weight {
        Weight::zero()
    }

    fn code_changed_after(_: BlockNumber) -> bool {
        CodeChanged::get()
    }

    fn may_repeat(block: BlockNumber) -> bool {
        Behind::get().is_none_or(|behind| block < behind)
    }

    fn signer(transaction: &[u8]) -> Option<AccountId> {
        Transfer::decode(transaction).map(|transfer| account(transfer.from))
    }

    fn weight(_: &[u8]) -> Weight {
        REPEATING
    }

    fn repeat(transaction: &[u8]) -> Result<Weight, Fall> {
        let transfer = Transfer::decode(transaction).ok_or(Fall::Unreadable)?;
        assert_ne!(Trap::get(), Some(transfer.id), "whose block is tried is not made");
        let repeated = with_storage_layer(|| match transfer.apply() {
            Ok(true) => Ok(REPEATING),
            Ok(false) => Err(POOR),
            Err(error) => Err(error),
        });
        repeated.map_err(Fall::Failed)
    }

    fn use_up(transaction: &[u8]) {
        let transfer = Transfer::decode(transaction).expect("somebody signed it");
        PassedOver::mutate(|passed| passed.push(transfer.id));
    }

    fn use_up_weight() -> Weight {
        Weight::zero()
    }

    fn outcomes(events: &[u8]) -> Option<Vec<(u32, Outcome)>> {
        let events =
            Vec::<frame_system::EventRecord<RuntimeEvent, H256>>::decode(&mut &events[..]).ok()?;
        let outcome = |event: RuntimeEvent| match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }) => {
                Some(Outcome::Failed)
            }
            // That a part failed is told so here.
            RuntimeEvent::System(frame_system::Event::Remarked { .. }) => {
                Some(Outcome::PartlyFailed)
            }
            _ => None,
        };
        let of = |record: frame_system::EventRecord<RuntimeEvent, H256>| match record.phase {
            frame_system::Phase::ApplyExtrinsic(index) => {
                outcome(record.event).map(|outcome| (index, outcome))
            }
            _ => None,
        };
        Some(events.into_iter().filter_map(of).collect())
    }

    fn outcomes_weight(_: u32) -> Weight {
        Weight::zero()
    }
}

impl Config for Test {
    type Sequencers = Sequencers;
    type Threshold = Threshold;
    type Doubt = Doubt;
    type Relay = Relay;
    type Books = Ledger;
    type KeptBlocks = KeptBlocks;
    type PatienceBlocks = PatienceBlocks;
    type NextPatienceBlocks = NextPatienceBlocks;
    type ReplayBudget = Budget;
    type WeightInfo = ();
}

pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// All that is in storage.
pub fn state() -> State {
    let mut state = State::new();
    let mut key = Vec::new();
    while let Some(next) = sp_io::storage::next_key(&key) {
        state.insert(next.clone(), unhashed::get_raw(&next).expect("the key is there"));
        key = next;
    }
    state
}

fn database(state: &State) -> (H256, MemoryDB<BlakeTwo256>) {
    let (mut nodes, mut root) = (MemoryDB::<BlakeTwo256>::default(), H256::default());
    {
        let mut trie =
            TrieDBMutBuilder::<LayoutV1<BlakeTwo256>>::new(&mut nodes, &mut root).build();
        for (key, value) in state {
            trie.insert(key, value).expect("a trie in memory takes everything");
        }
    }
    (root, nodes)
}

/// The nodes that show a state's events.
pub fn events_of(state: &State) -> Vec<Vec<u8>> {
    let (root, nodes) = database(state);
    let recorder = Recorder::<BlakeTwo256>::default();
    {
        let mut recorded = recorder.as_trie_recorder(root);
        let trie = TrieDBBuilder::<LayoutV1<BlakeTwo256>>::new(&nodes, &root)
            .with_recorder(&mut recorded)
            .build();
        trie.get(&events_key()).expect("the trie is whole");
    }
    let nodes: Vec<_> = recorder.drain_storage_proof().into_iter_nodes().collect();
    assert!(nodes.len() <= MAX_EVENTS_NODES as usize);
    nodes
}

/// The root of a state, and all nodes of its trie.
fn trie(state: &State) -> (H256, Vec<Vec<u8>>) {
    let (root, mut nodes) = database(state);
    let all = nodes.drain().into_iter().filter(|(_, (_, count))| *count > 0);
    let mut all: Vec<_> = all.map(|(_, (node, _))| node).collect();
    all.sort();
    (root, all)
}

/// A block that was made, and the state after it.
#[derive(Clone)]
pub struct Made {
    pub header: Header,
    pub body: Vec<Vec<u8>>,
    pub state: State,
}

impl Made {
    /// What a leader brings of it.
    pub fn step(&self) -> RecoveryStep {
        let Self { header, body, state } = self.clone();
        RecoveryStep::Block { header: Box::new(header), body, events: events_of(&state) }
    }
}

/// What a block has.
#[derive(Clone, Default)]
pub struct Content {
    pub step: Option<RecoveryStep>,
    /// Whether the relay applies L1's next block.
    pub l1: bool,
    /// Of whom, to whom, how much.
    pub transfers: Vec<(u8, u8, u8)>,
}

/// The chain.
pub struct Chain {
    /// By number.
    pub blocks: Vec<Made>,
    /// Ids of the transfers that succeeded, and of those that did in part.
    pub succeeded: Vec<u8>,
    pub partly: Vec<u8>,
    log: PointLog,
    last_id: u8,
}

/// Runs a test in the state after genesis.
pub fn on_chain(test: impl FnOnce(&mut Chain)) {
    Members::set(vec![1, 2, 3, 4]);
    SetId::set(0);
    Threshold::set(100);
    Standing::set(None);
    Branch::set(vec![]);
    Applied::set(0);
    InPart::set(false);
    Turns::set(0);
    TurnsDue::set(false);
    Mended::set(vec![]);
    MendSteps::set(3);
    CodeChanged::set(false);
    Behind::set(None);
    PassedOver::set(vec![]);
    Trap::set(None);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    sp_io::TestExternalities::new(storage).execute_with(|| {
        let mut chain = Chain {
            blocks: vec![],
            succeeded: vec![],
            partly: vec![],
            log: PointLog::default(),
            last_id: 0,
        };
        chain.seal(0, vec![]);
        test(&mut chain);
    });
}

impl Chain {
    pub fn head(&self) -> BlockNumber {
        self.blocks.len() as u32 - 1
    }

    fn seal(&mut self, number: BlockNumber, body: Vec<Vec<u8>>) {
        let state = state();
        let extrinsics_root = BlakeTwo256::ordered_trie_root(body.clone(), StateVersion::V0);
        let parent = self.blocks.last().map_or(H256::zero(), |made| made.header.hash());
        let root = trie(&state).0;
        let header = Header::new(number, extrinsics_root, root, parent, Digest::default());
        self.blocks.push(Made { header, body, state });
    }

    /// Makes a block with nothing in it but what `content` says. A step that fails would
    /// make it invalid: then it is made without.
    pub fn block(&mut self, content: Content) -> Result<(), DispatchError> {
        let (number, parent) = (self.head() + 1, self.blocks[self.head() as usize].header.hash());
        System::reset_events();
        System::initialize(&number, &parent, &Digest::default());
        Recovery::on_initialize(number);
        System::note_finished_initialize();
        let mut body = vec![[vec![0], number.to_le_bytes().to_vec()].concat()];
        let step = content.step.map_or(Ok(()), |step| {
            with_storage_layer(|| {
                Recovery::advance(RawOrigin::None.into(), step)
                    .map(drop)
                    .map_err(|failed| failed.error)
            })
        });
        if content.l1 && !Recovery::is_frozen() {
            self.apply_l1(number);
        }
        System::note_applied_extrinsic(&Ok(().into()), Default::default());
        if !Recovery::is_running() {
            for (from, to, amount) in content.transfers {
                self.include(&mut body, from, to, amount);
            }
        }
        System::note_finished_extrinsics();
        Recovery::on_finalize(number);
        Recovery::check_state().expect("sound between blocks");
        self.seal(number, body);
        step
    }

    /// So many blocks without anything.
    pub fn idle(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.block(Content::default()).expect("there is no step");
        }
    }

    /// A block in which users send coins.
    pub fn send(&mut self, transfers: &[(u8, u8, u8)]) {
        let content = Content { transfers: transfers.to_vec(), ..Content::default() };
        self.block(content).expect("there is no step");
    }

    /// L1 has another block, which is applied.
    pub fn l1_block(&mut self, burns: &[u8]) {
        Self::l1_grows(burns);
        self.block(Content { l1: true, ..Content::default() }).expect("there is no step");
    }

    /// L1 has another block. An output stands on a branch once.
    pub fn l1_grows(burns: &[u8]) {
        Branch::mutate(|branch| {
            let mut new = Vec::new();
            for burn in burns {
                if !new.contains(burn) && !branch.iter().flatten().any(|known| known == burn) {
                    new.push(*burn);
                }
            }
            branch.push(new);
        });
    }

    fn apply_l1(&mut self, number: BlockNumber) {
        let next = Applied::get();
        let Some(burns) = Branch::get().get(next as usize).cloned() else { return };
        Applied::set(next + 1);
        if !burns.is_empty() {
            let hash = self.blocks[number as usize - 1].header.hash();
            self.log.note(RecoveryPoint { l1_height: next + 1, number: number - 1, hash });
        }
        burns.into_iter().for_each(mint);
    }

    /// L1 drops all above a height, and the doubt of that stands at once. The relay goes
    /// back, as it does without a recovery. Whether anything was in doubt.
    pub fn fork(&mut self, height: u32, deficit: Balance) -> bool {
        let common = L1BlockContext { height, ..L1BlockContext::default() };
        Branch::mutate(|branch| branch.truncate(height as usize));
        Applied::set(Applied::get().min(height));
        let Effect::Since(since) = self.log.drop_above(height) else { return false };
        Standing::set(Some(StandingDoubt { since: Some(since), common, deficit }));
        true
    }

    // As a leader includes it: nobody who cannot pay the fee is in a block, and what fails
    // pays it.
    fn include(&mut self, body: &mut Vec<Vec<u8>>, from: u8, to: u8, amount: u8) {
        let Some(left) = balance(from).checked_sub(FEE) else { return };
        self.last_id += 1;
        let transfer = Transfer { from, to, amount, id: self.last_id };
        unhashed::put(&nonce_key(from), &(nonce(from) + 1));
        let result = transfer.apply();
        match result {
            Ok(true) => self.succeeded.push(transfer.id),
            Ok(false) => {
                self.partly.push(transfer.id);
                let (sender, hash) = (account(from), H256::zero());
                System::deposit_event(frame_system::Event::Remarked { sender, hash });
            }
            Err(_) => {
                set_balance(from, left);
                set_balance(POT, balance(POT) + FEE);
            }
        }
        assert_eq!(System::extrinsic_index(), Some(body.len() as u32));
        body.push(transfer.encoded());
        let result = result.map(drop);
        note(RuntimeOrigin::signed(account(from)), result);
        let result = result.map(Into::into).map_err(Into::into);
        System::note_applied_extrinsic(&result, Default::default());
    }

    /// The step that is wanted, as an honest leader brings it; of a page all nodes.
    pub fn step(&self) -> Option<RecoveryStep> {
        let made = |hash: BlockHash| {
            self.blocks.iter().find(|made| made.header.hash() == hash).expect("it was made")
        };
        Some(match Recovery::recovery_wanted()? {
            Wanted::Point { hash } => RecoveryStep::Point(Box::new(made(hash).header.clone())),
            Wanted::Page { hash, .. } => RecoveryStep::Page(trie(&made(hash).state).1),
            Wanted::Block { hash, .. } => made(hash).step(),
        })
    }

    /// A block with the step that is wanted, and with L1's next block.
    pub fn advance(&mut self) {
        let content = Content { step: self.step(), l1: true, ..Content::default() };
        self.block(content).expect("it is the step that is wanted");
    }

    /// Enough votes for the recovery that is due, in one block.
    pub fn vote(&mut self) {
        self.vote_of([0, 1, 2]);
    }

    /// Votes of these, with which it begins.
    pub fn vote_of(&mut self, voters: [u16; 3]) {
        for voter in voters {
            Recovery::vote(RawOrigin::Authorized.into(), vote(voter)).expect("it is due");
        }
        self.idle(1);
        assert!(Recovery::is_frozen());
    }

    /// Runs a recovery to its end.
    pub fn recover(&mut self) {
        for _ in 0..200 {
            if !Recovery::is_running() {
                return;
            }
            self.advance();
        }
        panic!("it does not end: {:?}", Recovery::recovery_overview());
    }
}

/// What the extension notes of a transaction with this outcome.
pub fn note(origin: RuntimeOrigin, result: Result<(), DispatchError>) {
    let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
    let ran = NoteOutcome::<Test>::new().test_run(origin, &call, &Default::default(), 0, 0, |_| {
        match result {
            Ok(()) => Ok(().into()),
            Err(error) => Err(error.into()),
        }
    });
    assert!(ran.is_ok(), "the extension refuses nothing");
}

/// A sequencer's vote for what is due.
pub fn vote(voter: u16) -> RecoveryVote {
    vote_for(voter, Recovery::recovery_subject().expect("something is due"))
}

pub fn vote_for(voter: u16, subject: RecoverySubject) -> RecoveryVote {
    let set_id = SetId::get();
    let message = recovery_message(&System::block_hash(0), set_id, &subject);
    let signature = pair(Members::get()[usize::from(voter)]).sign(&message);
    RecoveryVote { set_id, voter, subject, signature }
}

/// The events of this pallet in this block.
pub fn told() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet()
}
