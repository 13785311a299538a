//! A runtime of this pallet alone; the tests say what is settled and what is not backed.

use crate as pallet_recovery_point;
use cascoin_l2_primitives::{
    chain::{Balance, BlockHash, BlockNumber},
    l1::{L1Hash, OutPoint},
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
};
use frame_support::{derive_impl, parameter_types, traits::Hooks};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Recovery: pallet_recovery_point,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

parameter_types! {
    /// Whether it is open what comes again.
    pub static Unsettled: bool = false;
    /// What nothing backs.
    pub static Unbacked: Balance = 0;
}

impl pallet_recovery_point::Config for Test {
    type Unsettled = Unsettled;
    type Deficit = Unbacked;
    type WeightInfo = ();
}

/// The state in block 1.
pub fn chain() -> sp_io::TestExternalities {
    Unsettled::set(false);
    Unbacked::set(0);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut ext = sp_io::TestExternalities::new(storage.expect("genesis builds"));
    ext.execute_with(block);
    ext
}

pub fn hash_of(number: BlockNumber) -> BlockHash {
    BlockHash::from_low_u64_be(u64::from(number) + 1_000)
}

/// Begins the next block.
pub fn block() {
    let number = System::block_number() + 1;
    System::reset_events();
    System::initialize(&number, &hash_of(number - 1), &Default::default());
    Recovery::on_initialize(number);
    Recovery::check_state().expect("the state is sound");
}

fn l1_block(height: u32) -> L1BlockContext {
    L1BlockContext { height, ..Default::default() }
}

/// L1's block at a height has an event.
pub fn effect(height: u32) {
    let outpoint = OutPoint { txid: L1Hash([1; 32]), vout: 0 };
    let event = L1Event::Burn { outpoint, value: 1, payload: Default::default() };
    Recovery::on_event(&event, &l1_block(height));
}

/// L1 drops all above a height. It is open what comes again.
pub fn fork(common: u32) {
    Unsettled::set(true);
    Recovery::on_fork(&l1_block(common));
}

/// All burns are judged, and so many coins are not backed.
pub fn settle(unbacked: Balance) {
    Recovery::on_recovered();
    Unsettled::set(false);
    Unbacked::set(unbacked);
}

/// What this block tells.
pub fn told() -> Vec<pallet_recovery_point::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Recovery(event) => Some(event),
            _ => None,
        })
        .collect()
}
