//! Others take over from a set of sequencers that does nothing, in whole blocks (R17.6).

use crate::{
    blocks::extend,
    candidates::sudo,
    chain::{preset, transfer, undone, Chain},
    relay::{block_of, TIP_TIME},
    sessions::{aligned_set, grow_to, scheduled, SESSION},
};
use cascoin_l2_primitives::{
    apis::runtime_decl_for_hand_over_api::HandOverApiV1,
    chain::{AccountId, SequencerSet},
    hand_over::{consent_message, Consent, HandOver, HandOverBase, HandOverError, HandOverRecord},
    l1::L1Hash,
    relay::{L1BlockDigest, L1Event, PageProof, RelayRange, RelayVote},
    reputation::Score,
};
use cascoin_l2_runtime::{
    Block, L1Relay, Participation, Runtime, RuntimeCall, RuntimeEvent, Session, SessionKeys,
    System, Timestamp, TimestampGuard, UncheckedExtrinsic, VERSION,
};
use codec::{Decode, Encode};
use frame_support::storage::storage_prefix;
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_l1_relay::{types::Tips, TipTimes};
use pallet_sequencer_registry::{
    candidates::{Attestation, Candidate},
    Candidates, Clock, EarlyDraw, Elected, Members,
};
use pallet_timestamp_guard::Event::TimeJumped;
use sp_consensus_grandpa::AuthorityId;
use sp_core::{ecdsa, ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie, One};
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    BoundedVec, DigestItem,
};

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
const COIN: u128 = 100_000_000;
/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

/// The key of the seed `//Name`.
fn pair(who: Sr25519Keyring) -> ed25519::Pair {
    ed25519::Pair::from_string(&format!("//{who}"), None).expect("a seed")
}

fn session_keys(who: Sr25519Keyring) -> SessionKeys {
    let ed25519 = pair(who).public();
    let vault = ecdsa::Pair::from_string(&format!("//{who}"), None).expect("a seed").public();
    SessionKeys {
        aura: ed25519.into(),
        grandpa: ed25519.into(),
        relay: ed25519.into(),
        vault: vault.into(),
    }
}

fn genesis_hash(chain: &mut Chain) -> H256 {
    match chain.head.number {
        0 => chain.head.hash(),
        _ => chain.read(|| System::block_hash(0)),
    }
}

fn accounts(who: &[Sr25519Keyring]) -> Vec<AccountId> {
    who.iter().map(|who| who.to_account_id()).collect()
}

/// A hand-over from the head, with the consents of these.
pub fn consented(chain: &mut Chain, set_id: u64, who: &[Sr25519Keyring]) -> HandOver {
    let base = HandOverBase {
        number: chain.head.number,
        hash: chain.head.hash(),
        set_id,
        l1_block: L1Hash([1; 32]),
        txid: L1Hash([2; 32]),
    };
    let message = consent_message(&genesis_hash(chain), &base);
    let consent = |who: &Sr25519Keyring| Consent {
        account: who.to_account_id(),
        signature: pair(*who).sign(&message),
    };
    let mut consents: Vec<Consent> = who.iter().map(consent).collect();
    consents.sort_by(|one, other| one.account.cmp(&other.account));
    HandOver { base, consents: BoundedVec::truncate_from(consents) }
}

/// The set that the state of the head has for it. Nothing of the question stays.
fn foretold(chain: &mut Chain, hand_over: &HandOver) -> Result<SequencerSet, HandOverError> {
    chain.read(|| undone(|| Runtime::hand_over_set(hand_over.clone())))
}

/// Makes the next block, which carries it.
pub fn carry(chain: &mut Chain, hand_over: &HandOver) -> Block {
    chain.items = vec![hand_over.item()];
    let (block, _) = chain.grow(vec![]);
    chain.items = vec![];
    block
}

/// The same, checked: the set is the one that was foretold, in this very block.
fn take_over(chain: &mut Chain, set_id: u64, who: &[Sr25519Keyring]) -> SequencerSet {
    let hand_over = consented(chain, set_id, who);
    let expected = foretold(chain, &hand_over).expect("the state takes it");
    let block = carry(chain, &hand_over);
    let set = aligned_set(chain);
    assert_eq!(set, expected);
    assert_eq!(set.set_id, set_id);
    assert!(set.members.iter().map(|member| &member.account).eq(hand_over.accounts()));
    let keys: Vec<AuthorityId> = set.members.iter().map(|member| member.grandpa.into()).collect();
    assert_eq!(scheduled(&block), Some(keys), "GRANDPA's light clients see it");
    let members = who.len() as u32;
    let record = HandOverRecord { id: hand_over.id(), base: hand_over.base, members };
    assert_eq!(chain.read(Runtime::last_hand_over), Some(record));
    let event = pallet_hand_over::Event::HandedOver { id: hand_over.id(), set_id, members };
    let told = chain.read(System::events);
    assert!(told.iter().any(|one| one.event == RuntimeEvent::HandOver(event.clone())));
    set
}

/// Nothing changes the set in these blocks.
fn stays(chain: &mut Chain, set: &SequencerSet, until: u32) {
    let blocks = grow_to(chain, until);
    assert!(blocks.iter().all(|block| scheduled(block).is_none()));
    // Draws may weigh them anew.
    let named = |set: &SequencerSet| -> (u64, Vec<AccountId>) {
        (set.set_id, set.members.iter().map(|member| member.account.clone()).collect())
    };
    assert_eq!(named(&aligned_set(chain)), named(set));
}

/// Blocks made, heights led in vain, blocks signed and not signed, by index.
fn counts(chain: &mut Chain) -> Vec<[u64; 4]> {
    let all = chain.read(Participation::participation).into_iter();
    all.map(|one| [one.produced, one.missed_proposals, one.votes, one.missed_votes]).collect()
}

fn seats(chain: &mut Chain) -> (Vec<AccountId>, Vec<AccountId>) {
    chain.read(|| {
        let members = Members::<Runtime>::get().into_iter().map(|seat| seat.account);
        let elected = Elected::<Runtime>::get().into_iter().map(|seat| seat.account);
        (members.collect(), elected.collect())
    })
}

/// Two of four go on. Bob's account is below Alice's.
#[test]
fn r17_6_two_of_four_go_on_and_make_and_sign_the_next_block() {
    let mut chain = Chain::of("regtest");
    // Dave signs none of the old set's.
    chain.absent = vec![3];
    grow_to(&mut chain, 7);
    let terms = chain.read(Runtime::hand_over_terms);
    assert_eq!((terms.set_id, terms.size), (1, (1, 21)));
    let mut all = accounts(&[Alice, Bob, Charlie, Dave]);
    all.sort();
    assert!(terms.successors.iter().map(|one| &one.account).eq(&all));
    assert!(terms.successors.iter().all(|one| one.in_force && one.weight == 100));

    // The first one in its order fails.
    chain.failed = vec![1];
    let set = take_over(&mut chain, 1, &[Alice, Bob]);
    (chain.absent, chain.failed) = (vec![], vec![]);
    assert!(set.members.iter().map(|one| &one.account).eq(&accounts(&[Bob, Alice])));
    assert_eq!(seats(&mut chain), (accounts(&[Alice, Bob]), vec![]));
    // Slots of even milliseconds are the first one's: of the seven blocks below Alice's, of
    // this one Bob's. The signatures are those of the seven.
    assert_eq!(counts(&mut chain), [[1, 0, 7, 0], [7, 1, 7, 0]]);
    chain.grow(vec![]);
    assert_eq!(counts(&mut chain), [[2, 0, 8, 0], [7, 1, 8, 0]]);

    // Sessions end as if that block had ended none, and the old set does not come back.
    stays(&mut chain, &set, SESSION);
    assert_eq!(chain.read(Clock::<Runtime>::get), 2);
    stays(&mut chain, &set, 3 * SESSION);
    let mut other = Chain::of("regtest");
    grow_to(&mut other, 3 * SESSION);
    assert_eq!(chain.read(Clock::<Runtime>::get), other.read(Clock::<Runtime>::get));
    assert_eq!(chain.read(Session::current_index), other.read(Session::current_index) + 1);
}

#[test]
fn r17_6_the_block_has_no_room_for_users_and_the_next_one_has() {
    let mut chain = Chain::of("regtest");
    grow_to(&mut chain, 3);
    let hand_over = consented(&mut chain, 1, &[Alice, Bob, Charlie]);
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 1));
    chain.items = vec![hand_over.item()];
    let (_, applied) = chain.grow(vec![transaction.clone()]);
    let full = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
    assert_eq!(applied, [Err(full)]);
    chain.items = vec![];
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
}

/// Eve and Ferdie are attested candidates with stake, reputation and keys.
fn with_candidates() -> Chain {
    let mut genesis = preset("regtest");
    for who in [Eve, Ferdie] {
        let account = who.to_account_id();
        let keys = (account.clone(), account.clone(), session_keys(who));
        genesis.session.non_authority_keys.push(keys);
        genesis.reputation.l1_scores.push((account, Score::saturating(50)));
    }
    let mut chain = Chain::from(genesis);
    let bond = || RuntimeCall::Stake(pallet_stake::Call::bond { amount: 4 * COIN });
    let bonds = vec![chain.sign(Eve, 0, 0, bond()), chain.sign(Ferdie, 0, 0, bond())];
    assert_eq!(chain.grow(bonds).1, [Ok(Ok(())), Ok(Ok(()))]);
    chain.read(|| {
        for who in [Eve, Ferdie] {
            let controller = who.to_account_id();
            let attestation = Attestation::Given { since: 0 };
            let candidate = Candidate {
                announced_at: 1,
                controller,
                confirmed: true,
                endpoint: Default::default(),
                weight: 0,
                attestation,
            };
            Candidates::<Runtime>::insert(who.to_account_id(), candidate);
        }
    });
    grow_to(&mut chain, 4);
    chain
}

/// Relay votes of these, by index in the set.
fn votes(
    chain: &mut Chain,
    set_id: u64,
    voters: &[Sr25519Keyring],
    digest: L1BlockDigest,
) -> Vec<UncheckedExtrinsic> {
    let genesis = genesis_hash(chain);
    let range = RelayRange(vec![digest].try_into().expect("one fits"));
    let message = RelayVote::message(&genesis, set_id, &range, TIP_TIME);
    let vote = |(voter, who): (u16, &Sr25519Keyring)| {
        let (range, signature) = (range.clone(), pair(*who).sign(&message));
        L1Relay::vote_extrinsic(RelayVote { set_id, voter, range, tip_time: TIP_TIME, signature })
    };
    (0..).zip(voters).map(vote).collect()
}

#[test]
fn r17_6_candidates_outside_take_over_wholly_and_l1_is_applied() {
    let mut chain = with_candidates();
    // Two of the four vote, and the others withhold their votes.
    let (digest, _) = block_of(1, vec![]);
    let ballots = votes(&mut chain, 0, &[Alice, Bob], digest);
    assert_eq!(chain.grow(ballots).1, [Ok(Ok(())), Ok(Ok(()))]);
    let terms = chain.read(Runtime::hand_over_terms);
    let outside = terms.successors.iter().filter(|one| !one.in_force);
    // 50 × √4
    assert!(outside.clone().all(|one| one.weight == 100));
    assert!(outside.map(|one| &one.account).eq(&accounts(&[Ferdie, Eve])));

    let set = take_over(&mut chain, 1, &[Eve, Ferdie]);
    assert!(set.members.iter().map(|one| &one.account).eq(&accounts(&[Ferdie, Eve])));
    assert!(set.members.iter().all(|one| one.weight == 100));
    assert_eq!(seats(&mut chain), (vec![], accounts(&[Ferdie, Eve])));

    let old = votes(&mut chain, 0, &[Alice], digest);
    assert!(chain.grow(old).1[0].is_err(), "the old set's votes count no more");
    assert_ne!(chain.read(L1Relay::status).applied_height, digest.height);
    let ballots = votes(&mut chain, 1, &[Ferdie, Eve], digest);
    assert_eq!(chain.grow(ballots).1, [Ok(Ok(())), Ok(Ok(()))]);
    assert_eq!(chain.read(L1Relay::status).applied_height, digest.height);

    stays(&mut chain, &set, 3 * SESSION + 5);
    assert!(seats(&mut chain).0.is_empty());
    // All that the new set made it signed.
    let blocks = u64::from(chain.head.number);
    let since = counts(&mut chain).iter().map(|one| one[0]).sum::<u64>();
    assert_eq!(since, blocks - 5, "from the block on that carries the hand-over");
}

/// R17.1: what stood on L1 all the time is applied by the chain of those who took over.
#[test]
fn r17_6_what_l1_forces_comes_with_those_who_took_over() {
    let mut chain = with_candidates();
    let transaction = chain.sign(Alice, 0, 0, transfer(One, COIN));
    take_over(&mut chain, 1, &[Eve, Ferdie]);
    let forced = pallet_forced_inclusion::Encoded::truncate_from(transaction.encode());
    let event = L1Event::ForcedTransaction { chain_id: CHAIN, paid: 0, transaction: forced };
    let (digest, pages) = block_of(1, vec![event]);
    let ballots = votes(&mut chain, 1, &[Ferdie, Eve], digest);
    assert_eq!(chain.grow(ballots).1, [Ok(Ok(())), Ok(Ok(()))]);
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    let page = L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof);
    assert_eq!(chain.grow(vec![page]).1, [Ok(Ok(()))]);
    // Its time is over after 25 s at the latest, which are 50 blocks.
    for _ in 0..60 {
        chain.grow(vec![]);
    }
    assert_eq!(chain.read(|| System::account_nonce(Alice.to_account_id())), 1);
}

/// R17.6: candidates of the old set are asked about again, and may come back by a draw only.
#[test]
fn r17_6_a_candidate_of_the_old_set_must_be_vouched_for_again() {
    let mut chain = with_candidates();
    take_over(&mut chain, 1, &[Eve, Ferdie]);
    take_over(&mut chain, 2, &[Ferdie]);
    assert_eq!(seats(&mut chain), (vec![], accounts(&[Ferdie])));
    let eve = Eve.to_account_id();
    let attestation = chain.read(|| Candidates::<Runtime>::get(&eve).map(|one| one.attestation));
    assert!(matches!(attestation, Some(Attestation::Waiting(_))), "{attestation:?}");
    let third = consented(&mut chain, 3, &[Eve, Ferdie]);
    assert_eq!(foretold(&mut chain, &third), Err(HandOverError::NotEligible(eve)));
}

/// Whether a block is invalid that carries these. Nothing of it stays.
fn is_invalid(chain: &mut Chain, items: Vec<DigestItem>) -> bool {
    chain.items = items;
    let time = chain.time + 500;
    let made = extend(chain, time);
    chain.items = vec![];
    !made
}

/// A block that carries what does not hold is none, be it by one signature, which is not in what
/// nodes compare; and the next leader's is as good as ever.
#[test]
fn r17_6_a_block_with_a_hand_over_that_does_not_hold_is_invalid() {
    let mut chain = with_candidates();
    let set = aligned_set(&mut chain);
    type Fault = fn(&mut HandOver);
    let cases: [(&[Sr25519Keyring], u64, Fault); 9] = [
        (&[Alice, Bob], 0, |_| ()),
        (&[Alice, Bob], 99, |_| ()),
        (&[Alice, Bob], 1, |one| one.base.number += 1),
        (&[Alice, Bob], 1, |one| one.base.number = u32::MAX),
        (&[Alice, Bob], 1, |one| one.base.hash = H256::repeat_byte(3)),
        (&[Alice, Bob], 1, |one| one.base.txid = L1Hash([9; 32])),
        (&[Alice, Bob], 1, |one| one.consents[0].signature = one.consents[1].signature),
        // Who is nobody here.
        (&[Alice, One], 1, |_| ()),
        (&[], 1, |_| ()),
    ];
    for (who, set_id, fault) in cases {
        let mut hand_over = consented(&mut chain, set_id, who);
        fault(&mut hand_over);
        assert!(is_invalid(&mut chain, vec![hand_over.item()]), "{hand_over:?}");
        assert_eq!(aligned_set(&mut chain), set, "{hand_over:?}");
    }
    // Neither one with another above it, nor bytes that are none.
    let twice = consented(&mut chain, 1, &[Alice, Bob]).item();
    assert!(is_invalid(&mut chain, vec![twice.clone(), twice]));
    let engine = cascoin_l2_primitives::hand_over::HAND_OVER_ENGINE_ID;
    assert!(is_invalid(&mut chain, vec![DigestItem::PreRuntime(engine, vec![7; 100])]));
    assert_eq!(aligned_set(&mut chain), set);
    assert_eq!(chain.read(Runtime::last_hand_over), None);
    assert_eq!(seats(&mut chain), (accounts(&[Alice, Bob, Charlie, Dave]), vec![]));

    // A state is asked about its own block only, and says why it does not take one.
    let behind = consented(&mut chain, 1, &[Alice, Bob]);
    chain.grow(vec![]);
    assert_eq!(foretold(&mut chain, &behind), Err(HandOverError::WrongBlock));
    let low = consented(&mut chain, 0, &[Alice, Bob]);
    assert_eq!(foretold(&mut chain, &low), Err(HandOverError::SetId(1)));
    let empty = consented(&mut chain, 1, &[]);
    assert_eq!(foretold(&mut chain, &empty), Err(HandOverError::Size(1, 21)));
    assert_eq!(aligned_set(&mut chain), set, "asking changes nothing");
    take_over(&mut chain, 1, &[Alice, Bob]);
}

/// R27.6: the days for which the chain stood are nobody's jump, though the tips that the old set
/// saw right before it died hold the first block back.
#[test]
fn r27_6_the_time_that_a_dead_set_took_is_nobodys_jump() {
    let mut chain = with_candidates();
    chain.read(|| {
        let now = Timestamp::get();
        let mut tips = Tips::default();
        for voter in 0..4 {
            tips.note(voter, (now / 1_000) as u32, now);
        }
        TipTimes::<Runtime>::put(tips);
    });
    chain.ext.commit_all().expect("changes can be committed");
    let has_jumped =
        |event: &RuntimeEvent| matches!(event, RuntimeEvent::TimestampGuard(TimeJumped { .. }));
    let clock = chain.time + 49 * HOUR;
    let first = chain.read(TimestampGuard::time_bounds).nearest(clock, 4);
    assert!(first < clock - 48 * HOUR, "it is held back");
    chain.time = first - 500;
    take_over(&mut chain, 1, &[Alice, Bob]);
    assert!(!has_told(&mut chain, has_jumped));
    chain.time = clock;
    chain.grow(vec![]);
    assert!(!has_told(&mut chain, has_jumped));
    // Then each leader answers for its time.
    chain.time += HOUR;
    chain.grow(vec![]);
    assert!(has_told(&mut chain, has_jumped));
}

/// Behind a block that set new code a state answers as the block does that begins with it.
#[test]
fn r17_6_new_code_changes_the_state_before_others_take_over() {
    let mut chain = Chain::of("regtest");
    grow_to(&mut chain, 3);
    let hand_over = consented(&mut chain, 1, &[Alice, Bob]);
    // What new code leaves in the state: the first block that is all its own.
    let key = storage_prefix(b"RecoveryBooks", b"CodeSince");
    let code_since = |chain: &mut Chain| {
        chain.read(|| {
            undone(|| {
                Runtime::hand_over_set(hand_over.clone()).expect("the state takes it");
                let bytes = sp_io::storage::get(&key)?;
                u32::decode(&mut &bytes[..]).ok()
            })
        })
    };
    assert_ne!(code_since(&mut chain), Some(4));
    let older = LastRuntimeUpgradeInfo { spec_version: 0.into(), spec_name: VERSION.spec_name };
    chain.read(|| LastRuntimeUpgrade::<Runtime>::put(older));
    chain.ext.commit_all().expect("changes can be committed");
    assert_eq!(code_since(&mut chain), Some(4));
    take_over(&mut chain, 1, &[Alice, Bob]);
}

fn has_told(chain: &mut Chain, wanted: fn(&RuntimeEvent) -> bool) -> bool {
    chain.read(System::events).iter().any(|record| wanted(&record.event))
}

/// R25.5: how late the old set was opens no seats of the new one.
#[test]
fn r25_5_who_took_over_does_not_answer_for_how_late_the_old_set_was() {
    use pallet_participation::Event::LivenessLow;
    let is_low =
        |event: &RuntimeEvent| matches!(event, RuntimeEvent::Participation(LivenessLow { .. }));
    let session_ends = |hands_over: bool| {
        let mut chain = with_candidates();
        chain.failed = vec![1];
        grow_to(&mut chain, 20);
        chain.failed = vec![];
        if hands_over {
            take_over(&mut chain, 1, &[Alice, Eve, Ferdie]);
        }
        // Judged in the block behind it.
        grow_to(&mut chain, SESSION + 1);
        assert!(has_told(&mut chain, is_low));
        let opened = chain.read(EarlyDraw::<Runtime>::get).is_some();
        (chain, opened)
    };
    assert!(session_ends(false).1, "it opens seats");
    let (mut chain, opened) = session_ends(true);
    assert!(!opened);
    assert_eq!(seats(&mut chain).1.len(), 2);

    // For the next session it does.
    chain.failed = vec![1];
    grow_to(&mut chain, SESSION + 20);
    chain.failed = vec![];
    grow_to(&mut chain, 2 * SESSION + 1);
    assert!(has_told(&mut chain, is_low));
    assert!(chain.read(EarlyDraw::<Runtime>::get).is_some());
}

/// The session ends once, with the set that took over.
#[test]
fn r17_6_the_last_block_of_a_session_hands_over_and_ends_it_once() {
    let mut chain = Chain::of("regtest");
    grow_to(&mut chain, SESSION - 1);
    let set = take_over(&mut chain, 1, &[Charlie, Dave]);
    assert_eq!(chain.head.number, SESSION);
    assert_eq!(chain.read(Session::current_index), 1);
    assert_eq!(chain.read(Clock::<Runtime>::get), 2);
    stays(&mut chain, &set, 2 * SESSION + 1);
    assert_eq!(chain.read(Session::current_index), 2);
}

/// A set that is in force and never made a block is passed over.
#[test]
fn r17_6_others_take_over_right_behind_a_change_of_the_set() {
    let mut chain = Chain::of("regtest");
    grow_to(&mut chain, 1);
    let account = Dave.to_account_id();
    sudo(&mut chain, pallet_sequencer_registry::Call::remove_member { account });
    grow_to(&mut chain, 2 * SESSION);
    assert_eq!(aligned_set(&mut chain).set_id, 1);
    let set = take_over(&mut chain, 2, &[Bob, Charlie]);
    // The block below was made and signed by the four.
    let votes: Vec<_> = counts(&mut chain).iter().map(|one| one[2]).collect();
    assert_eq!(votes, [u64::from(2 * SESSION); 2]);
    stays(&mut chain, &set, 4 * SESSION);
}

/// Even the set of genesis can be taken over from before it made a block; and ids in between
/// may be skipped, as attempts that came to nothing have them.
#[test]
fn r17_6_others_go_on_from_genesis_with_the_third_attempt() {
    let mut chain = Chain::of("regtest");
    let set = take_over(&mut chain, 3, &[Alice, Bob, Dave]);
    assert_eq!(chain.head.number, 1);
    stays(&mut chain, &set, SESSION + 2);
    let next = take_over(&mut chain, 4, &[Alice, Dave]);
    stays(&mut chain, &next, 2 * SESSION + 1);
}
