//! Who keeps L1 from being attested by casting no vote loses its seat, and L1 goes on.

use crate::{
    chain::{preset, Chain},
    relay::{block_of, TIP_TIME},
};
use cascoin_l2_primitives::{
    apis::Withheld,
    relay::{L1BlockDigest, RelayRange, RelayVote},
    sequencers::OffenceKind,
};
use cascoin_l2_runtime::{
    AccountId, L1Relay, RuntimeEvent, SequencerRegistry, System, UncheckedExtrinsic,
};
use sp_core::{ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};

const SESSION: u32 = 20;
/// Sixteen looks: one in 20 blocks of half a second, from block 10 on.
const DEADLINE_S: u64 = 160;
const FOUND_AT: u32 = 310;

/// Three appointed sequencers, of whom all must vote: two are more than half.
fn three_sequencers() -> Chain {
    let mut genesis = preset("regtest");
    let parameters = &mut genesis.chain_parameters.parameters;
    parameters.session_blocks = SESSION;
    parameters.block_time_ms = 500;
    parameters.relay_withholding_s = DEADLINE_S;
    genesis.session.keys.truncate(3);
    genesis.sequencer_registry.members.truncate(3);
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    chain
}

/// Alice's and Bob's votes in a set.
fn votes(chain: &mut Chain, set_id: u64, digest: L1BlockDigest) -> Vec<UncheckedExtrinsic> {
    let genesis: H256 = chain.read(|| System::block_hash(0));
    let range = RelayRange(vec![digest].try_into().expect("one fits"));
    let message = RelayVote::message(&genesis, set_id, &range, TIP_TIME);
    let vote = |(voter, seed): (u16, &str)| {
        let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
        let range = range.clone();
        L1Relay::vote_extrinsic(RelayVote { set_id, voter, range, tip_time: TIP_TIME, signature })
    };
    (0..).zip(["//Alice", "//Bob"]).map(vote).collect()
}

fn grow_to(chain: &mut Chain, number: u32) {
    while chain.head.number < number {
        chain.grow(vec![]);
    }
}

fn set(chain: &mut Chain) -> (u64, Vec<AccountId>) {
    let set = chain.read(SequencerRegistry::sequencer_set);
    (set.set_id, set.members.into_iter().map(|member| member.account).collect())
}

fn told(chain: &mut Chain) -> Vec<RuntimeEvent> {
    chain.read(|| System::events().into_iter().map(|record| record.event).collect())
}

#[test]
fn r17_6_who_withholds_its_relay_votes_loses_its_seat_and_l1_goes_on() {
    let mut chain = three_sequencers();
    let [alice, bob, charlie] = [Alice, Bob, Charlie].map(|who| who.to_account_id());
    let (digest, _) = block_of(1, vec![]);
    let ballots = votes(&mut chain, 0, digest);
    let (_, applied) = chain.grow(ballots);
    assert_eq!(applied, [Ok(Ok(())), Ok(Ok(()))]);

    // It is seen long before it costs anything.
    grow_to(&mut chain, FOUND_AT - 1);
    let status = chain.read(L1Relay::status);
    assert_eq!(status.applied_height + 1, digest.height);
    assert_eq!(status.withheld, [Withheld { account: charlie.clone(), ms: 150_000 }]);
    assert_eq!(set(&mut chain), (0, vec![alice.clone(), bob.clone(), charlie.clone()]));

    chain.grow(vec![]);
    let found = pallet_l1_relay::Event::VotesWithheld { sequencer: charlie.clone() };
    assert!(told(&mut chain).contains(&RuntimeEvent::L1Relay(found)));
    chain.grow(vec![]);
    let events = told(&mut chain);
    assert!(events.iter().any(|event| matches!(
        event,
        RuntimeEvent::Reputation(pallet_reputation::Event::Penalised {
            account,
            offence: OffenceKind::Withholding,
            ..
        }) if *account == charlie
    )));
    let removed = pallet_sequencer_registry::Event::Removed { account: charlie };
    assert!(events.contains(&RuntimeEvent::SequencerRegistry(removed)));

    // The set follows at the second session end, and two of two attest L1.
    grow_to(&mut chain, 2 * SESSION + FOUND_AT - FOUND_AT % SESSION);
    assert_eq!(set(&mut chain), (1, vec![alice, bob]));
    let ballots = votes(&mut chain, 1, digest);
    let (_, applied) = chain.grow(ballots);
    assert_eq!(applied, [Ok(Ok(())), Ok(Ok(()))]);
    assert_eq!(chain.read(L1Relay::status).applied_height, digest.height);
}
