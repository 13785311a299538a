//! A runtime of balances and this pallet.

use crate as pallet_stake;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{L1Hash, OutPoint},
    relay::{L1BlockContext, L1Branch, L1Chance, L1Event, OnL1Event},
    reputation::l1_stake::{OnL1Stake, StakeTerms},
    sequencers::{Entities, Offence, OffenceKind, OnOffence, StakeCommitment},
};
use frame_support::{derive_impl, parameter_types, traits::fungible::InspectHold, PalletId};
use sp_runtime::{generic, traits::BlakeTwo256, traits::IdentityLookup, BuildStorage, Weight};
use std::collections::BTreeMap;

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), ()>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Stake: pallet_stake,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = frame_support::traits::ConstU128<1>;
    type RuntimeHoldReason = RuntimeHoldReason;
}

pub const UNBONDING: u32 = 100;
pub const MIN_PENALTY: Balance = 50;
pub const CHAIN: u32 = 3;
pub const MARGIN: u32 = 40;
pub const MIN_LOCK: Balance = 10;
/// The L1 height at genesis.
pub const L1_START: u32 = 1_000;

parameter_types! {
    pub static Committed: Vec<(AccountId, Balance)> = vec![];
    pub static Sets: u64 = 0;
    pub static L1Height: u32 = L1_START;
    pub static MinL2Share: u8 = 50;
    /// L1 blocks that were replaced.
    pub static Replaced: Vec<L1Hash> = vec![];
    /// What reputation was told last of each account.
    pub static Terms: BTreeMap<AccountId, StakeTerms> = BTreeMap::new();
    /// L1 blocks that the relay has applied, by height.
    pub static AppliedBlocks: Vec<(u32, L1Hash)> = vec![];
    pub const Fund: PalletId = PalletId(*b"l2/stake");
}

pub struct Commitment;
impl StakeCommitment for Commitment {
    fn committed(account: &AccountId) -> Balance {
        let all = Committed::get();
        all.iter().find(|(who, _)| who == account).map_or(0, |(_, amount)| *amount)
    }
}

/// Accounts whose numbers are the same but for tens are one.
pub struct Tens;
impl Entities for Tens {
    fn are_one(one: &AccountId, other: &AccountId) -> bool {
        let unit = |account: &AccountId| AsRef::<[u8]>::as_ref(account)[0] % 10;
        unit(one) == unit(other)
    }

    fn max_weight() -> Weight {
        Weight::from_parts(3, 0)
    }
}

pub struct Listener;
impl OnL1Stake for Listener {
    fn on_l1_stake(account: &AccountId, terms: StakeTerms) {
        Terms::mutate(|all| all.insert(account.clone(), terms));
    }

    fn weight() -> Weight {
        Weight::zero()
    }
}

pub struct L1Blocks;
impl L1Branch for L1Blocks {
    fn has_block(_: u32, hash: &L1Hash) -> bool {
        !Replaced::get().contains(hash)
    }
}

pub struct L1Hashes;
impl L1Chance for L1Hashes {
    fn unknown_height() -> u32 {
        L1Height::get() + 2
    }

    fn hash_at(height: u32) -> Option<L1Hash> {
        AppliedBlocks::get().into_iter().find(|block| block.0 == height).map(|block| block.1)
    }
}

impl pallet_stake::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Commitment = Commitment;
    type Entities = Tens;
    type UnbondingBlocks = frame_support::traits::ConstU32<UNBONDING>;
    type MinPenalty = frame_support::traits::ConstU128<MIN_PENALTY>;
    type ConspiracyBlocks = frame_support::traits::ConstU32<60>;
    type ChainId = frame_support::traits::ConstU32<CHAIN>;
    type L1Height = L1Height;
    type L1Margin = frame_support::traits::ConstU32<MARGIN>;
    type L1Blocks = L1Blocks;
    type OnL1Stake = Listener;
    type L1Hashes = L1Hashes;
    type MinL1Lock = frame_support::traits::ConstU128<MIN_LOCK>;
    type MinL2Share = MinL2Share;
    type PalletId = Fund;
    type WeightInfo = ();
}

pub const ENDOWMENT: Balance = 1_000_000;

pub fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

/// State in block 1; accounts 1 to 4 have coins.
pub fn new_test_ext() -> sp_io::TestExternalities {
    with_genesis_locks(vec![])
}

/// The same, with locks that genesis names.
pub fn with_genesis_locks(l1_locks: Vec<crate::GenesisLock>) -> sp_io::TestExternalities {
    Committed::set(vec![]);
    L1Height::set(L1_START);
    MinL2Share::set(50);
    Replaced::set(vec![]);
    Terms::set(BTreeMap::new());
    AppliedBlocks::set(vec![]);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=4).map(|n| (account(n), ENDOWMENT)).collect(),
            ..Default::default()
        },
        stake: pallet_stake::GenesisConfig { l1_locks, ..Default::default() },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}

pub fn signed(n: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(n))
}

/// The output of the transaction `tx`.
pub fn outpoint(tx: u32) -> OutPoint {
    OutPoint { txid: L1Hash::of(&tx.to_le_bytes()), vout: 1 }
}

/// L1 says that the transaction `tx` locks `value` for `n`.
pub fn lock(n: u8, tx: u32, value: u64, unlock: u32) {
    hear(&L1Event::Stake {
        outpoint: outpoint(tx),
        chain_id: CHAIN,
        account: account(n),
        owner: sp_core::H160([n; 20]),
        value,
        unlock,
    });
}

pub fn hear(event: &L1Event) {
    Stake::on_event(event, &L1BlockContext::default());
}

pub fn held(n: u8) -> Balance {
    Balances::balance_on_hold(&crate::HoldReason::Stake.into(), &account(n))
}

pub fn offend(n: u8, kind: OffenceKind) {
    offend_in(n, 0, kind);
}

pub fn offend_in(n: u8, set_id: u64, kind: OffenceKind) {
    offend_at(n, set_id, 1, kind);
}

pub fn offend_at(n: u8, set_id: u64, height: u32, kind: OffenceKind) {
    Stake::on_offence(&Offence { kind, offender: account(n), set_id, height });
}

/// An offence that `reporter` reports.
pub fn report_in(n: u8, set_id: u64, reporter: u8, kind: OffenceKind) {
    let offence = Offence { kind, offender: account(n), set_id, height: 1 };
    Stake::on_reported_offence(&offence, &account(reporter));
}
