//! The set in force follows the sessions, by index and with all keys.

use crate::{self as pallet_sequencer_registry, crypto, Member, MemberOf, Relay, Vault};
use cascoin_l2_primitives::{
    chain::{AccountId, MAX_SEQUENCERS},
    sequencers::SequencerSetProvider,
};
use frame_support::{derive_impl, parameter_types, traits::OneSessionHandler};
use pallet_session::SessionManager;
use sp_core::{ecdsa, ed25519, Pair};
use sp_runtime::{
    traits::{Convert, IdentityLookup},
    BuildStorage,
};

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Registry: pallet_sequencer_registry,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    pub static SetId: u64 = 0;
    pub static Sealing: Vec<ed25519::Public> = Vec::new();
    pub static Voting: Vec<ed25519::Public> = Vec::new();
}

impl pallet_sequencer_registry::Config for Test {
    type SetId = SetId;
    type SealingKeys = Sealing;
    type VotingKeys = Voting;
}

fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

fn ed(n: u8, purpose: u8) -> ed25519::Public {
    ed25519::Pair::from_seed(&[n ^ purpose; 32]).public()
}

fn ec(n: u8) -> ecdsa::Public {
    ecdsa::Pair::from_seed(&[n; 32]).public()
}

const RELAY_KEY: u8 = 0x40;
const SEALING_KEY: u8 = 0x80;
const VOTING_KEY: u8 = 0xc0;

/// Puts `order` in force as pallet-session does.
fn put_in_force(order: &[u8], changed: bool) {
    let accounts: Vec<_> = order.iter().map(|n| account(*n)).collect();
    let relay: Vec<(_, crypto::relay::AuthorityId)> =
        accounts.iter().zip(order.iter().map(|n| ed(*n, RELAY_KEY).into())).collect();
    let vault: Vec<(_, crypto::vault::AuthorityId)> =
        accounts.iter().zip(order.iter().map(|n| ec(*n).into())).collect();
    Relay::<Test>::on_new_session(changed, relay.into_iter(), Vec::new().into_iter());
    Vault::<Test>::on_new_session(changed, vault.into_iter(), Vec::new().into_iter());
    Sealing::set(order.iter().map(|n| ed(*n, SEALING_KEY)).collect());
    Voting::set(order.iter().map(|n| ed(*n, VOTING_KEY)).collect());
}

fn genesis(members: Vec<Member>) -> sp_io::TestExternalities {
    RuntimeGenesisConfig {
        registry: pallet_sequencer_registry::GenesisConfig { members, ..Default::default() },
        ..Default::default()
    }
    .build_storage()
    .expect("genesis builds")
    .into()
}

fn three_members() -> sp_io::TestExternalities {
    genesis((1..=3).map(|n| Member { account: account(n), weight: u64::from(n) * 10 }).collect())
}

#[test]
fn the_set_is_listed_in_the_order_of_the_session_with_all_keys_and_weights() {
    three_members().execute_with(|| {
        SetId::set(7);
        put_in_force(&[3, 1], true);
        let set = Registry::sequencer_set();
        assert_eq!(set.set_id, 7);
        assert_eq!(set.members.len(), 2);
        for (info, n) in set.members.iter().zip([3u8, 1]) {
            assert_eq!(info.account, account(n));
            assert_eq!(info.aura, ed(n, SEALING_KEY));
            assert_eq!(info.grandpa, ed(n, VOTING_KEY));
            assert_eq!(info.relay, ed(n, RELAY_KEY));
            assert_eq!(info.vault, ec(n));
            assert_eq!(info.weight, u64::from(n) * 10);
        }
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn the_provider_answers_by_index() {
    three_members().execute_with(|| {
        SetId::set(2);
        put_in_force(&[2, 3, 1], true);
        assert_eq!(<Registry as SequencerSetProvider>::set_id(), 2);
        assert_eq!(<Registry as SequencerSetProvider>::members(), 3);
        assert_eq!(<Registry as SequencerSetProvider>::quorum(), 3);
        assert_eq!(Registry::relay_key(1), Some(ed(3, RELAY_KEY)));
        assert_eq!(Registry::relay_key(3), None);
        assert_eq!(Registry::account(1), Some(account(3)));
        assert_eq!(Registry::account(3), None);
        assert_eq!(Registry::index_of_relay_key(&ed(1, RELAY_KEY)), Some(2));
        assert_eq!(Registry::index_of_relay_key(&ed(9, RELAY_KEY)), None);
    });
}

#[test]
fn an_unchanged_session_leaves_the_set_as_it_is() {
    three_members().execute_with(|| {
        put_in_force(&[1, 2, 3], true);
        put_in_force(&[3, 2, 1], false);
        assert_eq!(Registry::relay_key(0), Some(ed(1, RELAY_KEY)));
        assert_eq!(<Registry as SessionManager<AccountId>>::new_session(5), None);
    });
}

#[test]
fn only_members_may_set_session_keys() {
    three_members().execute_with(|| {
        assert_eq!(MemberOf::<Test>::convert(account(2)), Some(account(2)));
        assert_eq!(MemberOf::<Test>::convert(account(4)), None);
    });
}

#[test]
fn the_state_check_finds_a_missing_key_and_a_stranger() {
    three_members().execute_with(|| {
        put_in_force(&[1, 2], true);
        Voting::set(Vec::new());
        assert_eq!(
            Registry::check_state(),
            Err("the key lists of the set in force differ in length")
        );
        put_in_force(&[1, 9], true);
        assert_eq!(Registry::check_state(), Err("somebody who is no member is in force"));
    });
}

#[test]
#[should_panic(expected = "named twice")]
fn a_member_named_twice_has_no_genesis() {
    genesis(vec![Member { account: account(1), weight: 1 }; 2]);
}

#[test]
#[should_panic(expected = "more than 64 sequencers")]
fn more_members_than_seats_have_no_genesis() {
    let one_too_many = MAX_SEQUENCERS as u8 + 1;
    genesis((0..one_too_many).map(|n| Member { account: account(n), weight: 1 }).collect());
}
