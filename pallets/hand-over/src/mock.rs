//! A runtime of this pallet alone, whose succession is a list.

use crate as pallet_hand_over;
use crate::Succession;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, BlockNumber},
    hand_over::{consent_message, Consent, HandOver, HandOverBase, Successor},
    l1::L1Hash,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Get, Hooks},
    weights::Weight,
    BoundedVec,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{traits::IdentityLookup, BuildStorage, Digest, DigestItem};
use std::panic::{catch_unwind, AssertUnwindSafe};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        HandOvers: pallet_hand_over,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    /// Seeds of those who may go on.
    pub static Eligible: Vec<u8> = vec![];
    pub static SetId: u64 = 0;
    /// Sets as they were put into force.
    pub static Succeeded: Vec<(u64, Vec<AccountId>)> = vec![];
}

impl pallet_hand_over::Config for Test {
    type Succession = Seeds;
    type WeightInfo = ();
}

/// Least and most accounts of a set.
pub const SIZE: (u32, u32) = (2, 4);
/// Id of the set in force at first.
pub const FIRST_SET: u64 = 7;
/// Height of the parent of the block that tests begin.
pub const PARENT: BlockNumber = 5;

pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

pub fn pair(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

pub struct Seeds;

impl Succession for Seeds {
    fn set_id() -> u64 {
        SetId::get()
    }

    fn size() -> (u32, u32) {
        SIZE
    }

    fn successor_key(who: &AccountId) -> Option<ed25519::Public> {
        let seed = Eligible::get().into_iter().find(|seed| account(*seed) == *who)?;
        Some(pair(seed).public())
    }

    fn successors() -> Vec<Successor> {
        let successor = |seed: u8| Successor {
            account: account(seed),
            entity: account(seed),
            relay: pair(seed).public(),
            weight: seed.into(),
            in_force: false,
        };
        Eligible::get().into_iter().map(successor).collect()
    }

    fn succeed(accounts: &[AccountId], set_id: u64) {
        SetId::set(set_id);
        Succeeded::mutate(|all| all.push((set_id, accounts.to_vec())));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn worst_case(_: ed25519::Public) -> Vec<AccountId> {
        vec![]
    }
}

pub fn hash_of(number: BlockNumber) -> BlockHash {
    BlockHash::from_low_u64_be(u64::from(number) + 1_000)
}

/// The state behind block [`PARENT`]; the accounts of the seeds 1 to 6 may go on.
pub fn new_test_ext() -> sp_io::TestExternalities {
    Eligible::set((1..=6).collect());
    SetId::set(FIRST_SET);
    Succeeded::set(vec![]);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut ext = sp_io::TestExternalities::new(storage.expect("genesis builds"));
    ext.execute_with(|| {
        for _ in 0..PARENT {
            block(vec![]);
        }
    });
    ext
}

/// The base that the next block's hand-over has to have.
pub fn base() -> HandOverBase {
    HandOverBase {
        number: PARENT,
        hash: hash_of(PARENT),
        set_id: FIRST_SET + 1,
        l1_block: L1Hash([1; 32]),
        txid: L1Hash([2; 32]),
    }
}

/// A hand-over from there, signed by these seeds for this chain.
pub fn signed(base: HandOverBase, seeds: &[u8]) -> HandOver {
    let message = consent_message(&hash_of(0), &base);
    let consent =
        |seed: &u8| Consent { account: account(*seed), signature: pair(*seed).sign(&message) };
    let consents: Vec<Consent> = seeds.iter().map(consent).collect();
    HandOver { base, consents: BoundedVec::truncate_from(consents) }
}

/// Begins the next block, with these items in its header.
pub fn block(logs: Vec<DigestItem>) -> Weight {
    let number = System::block_number() + 1;
    System::reset_events();
    System::initialize(&number, &hash_of(number - 1), &Digest { logs });
    let weight = HandOvers::on_initialize(number);
    HandOvers::check_state().expect("the state is sound");
    weight
}

/// Whether the next block is invalid with these items in its header. Nothing of it stays, but
/// what the succession's list was told.
pub fn is_invalid(logs: Vec<DigestItem>) -> bool {
    // As whoever executes a block does.
    sp_io::storage::start_transaction();
    let made = catch_unwind(AssertUnwindSafe(|| block(logs)));
    sp_io::storage::rollback_transaction();
    made.is_err()
}

/// Weight of a block that has no room for transactions.
pub fn full() -> Weight {
    <<Test as frame_system::Config>::BlockWeights as Get<frame_system::limits::BlockWeights>>::get()
        .max_block
}
