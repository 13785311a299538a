//! Who makes and signs blocks is counted in real blocks, over sessions and sets.

use crate::chain::{undone, Chain, START};
use cascoin_l2_primitives::{
    apis::SequencerParticipation,
    sequencers::{
        Commit, Offence, OffenceKind, ParticipationData, SequencerBits, PARTICIPATION_IDENTIFIER,
    },
};
use cascoin_l2_runtime::{
    Block, Executive, Participation, Runtime, RuntimeCall, SequencerRegistry, System,
    UncheckedExtrinsic,
};
use sp_block_builder::runtime_decl_for_block_builder::BlockBuilder;
use sp_core::H256;
use sp_inherents::InherentData;
use sp_keyring::Sr25519Keyring::{Alice, Charlie, Dave};
use sp_runtime::{
    generic,
    traits::{Block as _, Header as _},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
    DispatchError,
};

/// Blocks of a session of the `regtest` preset.
const SESSION: u32 = 60;

fn grow_to(chain: &mut Chain, number: u32) {
    while chain.head.number < number {
        chain.grow(vec![]);
    }
}

fn participation(chain: &mut Chain) -> Vec<SequencerParticipation> {
    let all = chain.read(Participation::participation);
    let set = chain.read(SequencerRegistry::sequencer_set);
    assert!(all.iter().map(|one| &one.account).eq(set.members.iter().map(|m| &m.account)));
    all
}

/// A call to the registry as Root.
fn sudo(chain: &mut Chain, call: pallet_sequencer_registry::Call<Runtime>) {
    let call = Box::new(RuntimeCall::SequencerRegistry(call));
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
    let transaction = chain.sign(Alice, 0, 0, sudo);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
}

/// Anybody may name two. What leaders said decides, and no filter.
#[test]
fn r22_1_two_are_named_by_anybody() {
    let mut chain = Chain::of("regtest");
    let named = pallet_participation::Call::report_correlation {
        first: Charlie.to_account_id(),
        second: Dave.to_account_id(),
    };
    let transaction = chain.sign(Alice, 0, 0, RuntimeCall::Participation(named));
    let refused = DispatchError::from(pallet_participation::Error::<Runtime>::NotCorrelated);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Err(refused))]);
}

#[test]
fn one_that_is_away_is_counted_and_told_of_when_the_session_ends() {
    let mut chain = Chain::of("regtest");
    chain.absent = vec![3];
    grow_to(&mut chain, SESSION);
    let all = participation(&mut chain);
    // Each block names the signers of the one before.
    let judged = u64::from(SESSION - 1);
    for (index, one) in all.iter().enumerate() {
        let votes = if index == 3 { [0, judged] } else { [judged, 0] };
        assert_eq!([one.votes, one.missed_votes], votes);
        assert_eq!(one.missed_proposals, 0);
    }
    let produced: u64 = all.iter().map(|one| one.produced).sum();
    assert_eq!(produced, u64::from(SESSION));
    assert!(chain.read(pallet_participation::Offences::<Runtime>::get).is_empty());

    chain.grow(vec![]);
    let offences = chain.read(pallet_participation::Offences::<Runtime>::get);
    let dave = Offence {
        kind: OffenceKind::Offline,
        offender: Dave.to_account_id(),
        set_id: 0,
        height: SESSION,
    };
    assert_eq!(offences.into_inner(), [dave]);
    let told = chain.read(System::read_events_for_pallet::<pallet_participation::Event<Runtime>>);
    let event = pallet_participation::Event::SequencerOffline {
        sequencer: Dave.to_account_id(),
        uptime_permille: 0,
    };
    assert_eq!(told, [event]);

    // It is back.
    chain.absent = vec![];
    grow_to(&mut chain, SESSION + 31);
    let dave = participation(&mut chain).remove(3);
    assert_eq!((dave.votes, dave.missed_votes), (30, u64::from(SESSION)));
    assert_eq!(dave.uptime_permille, 333, "30 of the last 90");
}

#[test]
fn leaders_whose_rounds_failed_are_counted() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    chain.failed = vec![2, 0];
    chain.grow(vec![]);
    chain.failed = vec![];
    chain.grow(vec![]);
    let missed: Vec<_> =
        participation(&mut chain).into_iter().map(|one| one.missed_proposals).collect();
    assert_eq!(missed, [1, 0, 1, 0]);
}

/// The old set signs its last block, which the first block of the new set tells of.
#[test]
fn a_change_of_the_set_is_crossed() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let charlie = Charlie.to_account_id();
    sudo(&mut chain, pallet_sequencer_registry::Call::remove_member { account: charlie.clone() });
    chain.absent = vec![1];
    grow_to(&mut chain, 2 * SESSION);
    let accounts = participation(&mut chain).into_iter().map(|one| one.account);
    assert!(!accounts.collect::<Vec<_>>().contains(&charlie));
    let (set_id, outgoing) =
        chain.read(pallet_participation::Outgoing::<Runtime>::get).expect("a set that leaves");
    assert_eq!((set_id, outgoing.len()), (0, 4));

    chain.grow(vec![]);
    let kept = chain.read(|| pallet_participation::Totals::<Runtime>::iter_keys().count());
    assert_eq!(kept, 3, "who left is forgotten");
    let offences = chain.read(pallet_participation::Offences::<Runtime>::get);
    let heights: Vec<_> = offences.iter().map(|offence| (offence.set_id, offence.height)).collect();
    assert_eq!(heights, [(0, SESSION), (0, 2 * SESSION)]);

    // All three are needed from now on: a quorum of three is three.
    chain.absent = vec![];
    grow_to(&mut chain, 3 * SESSION + 1);
    let all = participation(&mut chain);
    assert_eq!(all[1].missed_votes, 2 * u64::from(SESSION) - 1, "while it was away");
    assert_eq!(all[1].uptime_permille, 1_000);
}

#[test]
#[should_panic(expected = "Participation must be noted once in the block")]
fn a_block_without_the_inherent_is_refused() {
    let mut chain = Chain::of("dev");
    let (block, _) = chain.build(chain.time, vec![]);
    let header = chain.unfinished(chain.time);
    chain.read(|| {
        Executive::initialize_block(&header);
        let _ = Executive::apply_extrinsic(block.extrinsics[0].clone());
        Executive::finalize_block();
    });
}

#[test]
fn nobody_sends_it_as_a_transaction() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let inherent = chain.participation();
    let head = chain.head.hash();
    let validity = chain.read(|| {
        undone(|| {
            Executive::validate_transaction(TransactionSource::External, inherent.clone(), head)
        })
    });
    assert!(
        matches!(
            validity,
            Err(TransactionValidityError::Invalid(
                InvalidTransaction::MandatoryValidation | InvalidTransaction::Call
            )) | Err(TransactionValidityError::Unknown(_))
        ),
        "{validity:?}",
    );
    let signed = chain.sign(Alice, 0, 0, inherent.function);
    let (_, applied) = chain.grow(vec![signed]);
    assert!(applied[0].is_err(), "{applied:?}");
}

/// What a leader makes of what it knows passes the check of who knows as much, and
/// of nobody who knows less.
#[test]
fn voters_check_it_against_what_they_know() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let data = |signers: &[u16], failed: &[u16]| {
        let signers = signers.iter().copied().collect();
        let mut data = InherentData::new();
        data.put_data(*b"timstap0", &START).expect("there is none yet");
        let known = ParticipationData {
            commits: vec![Commit { round: 0, signers }],
            heard: [0, 2].into_iter().collect(),
            failed_leaders: failed.iter().copied().collect(),
        };
        data.put_data(PARTICIPATION_IDENTIFIER, &known).expect("there is none yet");
        data
    };
    let made = chain.read(|| Runtime::inherent_extrinsics(data(&[0, 1, 3], &[])));
    let call = pallet_participation::Call::note {
        round: 0,
        signers: [0, 1, 3].into_iter().collect(),
        heard: [0, 2].into_iter().collect(),
        failed_leaders: SequencerBits::NOBODY,
    };
    let expected = UncheckedExtrinsic::new_bare(RuntimeCall::Participation(call));
    assert_eq!(made[1], expected, "behind the time stamp");
    let header =
        generic::Header::new(2, H256::zero(), H256::zero(), H256::zero(), Default::default());
    let block = Block::new(header, vec![expected]);
    let mut check = |data| {
        let block = block.clone();
        chain.read(|| Runtime::check_inherents(block.into(), data)).ok()
    };
    assert!(check(data(&[0, 1, 3], &[])));
    assert!(check(data(&[0, 1, 2, 3], &[])));
    assert!(!check(data(&[0, 1, 2], &[])), "a signature that is not known here");
    assert!(!check(data(&[0, 1, 3], &[2])), "another leader failed");
}
