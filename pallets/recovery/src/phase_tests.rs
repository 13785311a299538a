//! What a recovery does, block by block, and when it gives up.

use crate::{
    mock::*,
    pallet::{
        Advanced, Count, DeliveredAgain, Error, Event, HadUsers, LastRecovery, Running, UserBlocks,
        UsersIn,
    },
    MAX_LISTED, MAX_PATIENCE, NOTES_KEPT,
};
use cascoin_l2_primitives::{
    recovery::{
        Fall, FallenTransaction, NoRecovery, Place, RecoveryPhase, RecoveryPoint, RecoveryStep,
        StandingDoubt, Wanted, FORCED_INDEX, MAX_EVENTS_BYTES, MAX_EVENTS_NODES, MAX_KEYS_PER_STEP,
        MAX_PAGE_BYTES, MAX_PAGE_NODES, RECOVERY_IDENTIFIER,
    },
    relay::L1BlockContext,
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::RawOrigin,
    inherent::{InherentData, ProvideInherent},
    migrations::MultiStepMigrator,
    storage::unhashed,
    traits::Hooks,
};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::InvalidTransaction,
    DispatchError,
};

/// Account 1 has its coins of an L1 block that L1 drops, account 2 of one that stays. Users
/// act in block 3, and nothing but the recovery is due. The state goes back to block 1.
fn doubtful(chain: &mut Chain) {
    // Burn 1 brings account 2 its coins (51), burn 0 account 1 (50).
    chain.l1_block(&[1]);
    chain.l1_block(&[0]);
    chain.send(&[(1, 3, 40), (2, 4, 20), (3, 4, 10), (1, 2, 200)]);
    assert_eq!(balances(), [8, 30, 29, 30, 4]);
    assert!(chain.fork(1, 150));
    // The relay is where it was, on the new branch.
    chain.l1_block(&[]);
}

/// Of accounts 1 to 4, and the pot.
fn balances() -> [u64; 5] {
    [1, 2, 3, 4, POT].map(balance)
}

fn phase() -> RecoveryPhase {
    Recovery::recovery_overview().running.expect("one runs").phase
}

fn point_of(chain: &Chain, number: usize) -> RecoveryStep {
    RecoveryStep::Point(Box::new(chain.blocks[number].header.clone()))
}

fn block_of(chain: &Chain, number: usize) -> RecoveryStep {
    chain.blocks[number].step()
}

fn refused(chain: &mut Chain, step: RecoveryStep, why: Error<Test>) {
    let (run, money) = (Running::<Test>::get(), balances());
    assert_eq!(try_step(chain, step), Err(why.into()));
    assert_eq!((Running::<Test>::get(), balances()), (run, money));
}

fn try_step(chain: &mut Chain, step: RecoveryStep) -> Result<(), DispatchError> {
    chain.block(Content { step: Some(step), ..Content::default() })
}

/// Until the state is back and all is mended.
fn until_restored(chain: &mut Chain) {
    while Recovery::is_frozen() {
        chain.block(Content { step: chain.step(), ..Content::default() }).expect("it is wanted");
    }
}

#[test]
fn r19_3_money_goes_back_l1_is_followed_again_and_what_holds_is_repeated() {
    on_chain(|chain| {
        doubtful(chain);
        let since = RecoveryPoint { l1_height: 2, number: 1, hash: chain.blocks[1].header.hash() };
        chain.vote();
        assert_eq!(chain.head(), 5);
        assert_eq!(told(), [Event::Begun { number: 1, since, deficit: 150 }]);
        let is_frozen = || Recovery::is_frozen() && <Recovery as MultiStepMigrator>::ongoing();
        assert!(is_frozen() && Recovery::is_running());
        assert_eq!(Recovery::recovery_wanted(), Some(Wanted::Point { hash: since.hash }));

        chain.advance();
        assert_eq!(phase(), RecoveryPhase::Restoring { part: 0, parts: 2 });
        assert_eq!(
            Recovery::recovery_wanted(),
            Some(Wanted::Page {
                hash: since.hash,
                prefix: b"burned:".to_vec(),
                after: None,
                max_keys: MAX_KEYS_PER_STEP,
                max_bytes: MAX_PAGE_BYTES,
            })
        );
        chain.advance();
        assert_eq!(phase(), RecoveryPhase::Restoring { part: 1, parts: 2 });
        assert_eq!((is_minted(0), is_minted(1)), (false, true));
        assert_eq!(balances(), [8, 30, 29, 30, 4], "it is the other part");
        chain.advance();
        assert_eq!((phase(), balances()), (RecoveryPhase::Mending, [0, 51, 0, 0, 0]));

        // Nobody has to bring anything for that.
        chain.idle(2);
        assert!(is_frozen() && Standing::get().is_some());
        chain.idle(1);
        assert_eq!((Mended::get(), phase()), (vec![0, 1, 2], RecoveryPhase::L1Again));
        assert_eq!(told(), [Event::Restored { number: 1, block: 1 }]);
        assert!(!is_frozen() && Recovery::is_running());
        assert_eq!((Applied::get(), Standing::get()), (1, None));
        assert!(Recovery::redelivers(2) && !Recovery::redelivers(3));

        // L1's block 2 comes again; blocks 2, 4 and 5 had no users.
        chain.advance();
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 5 });
        assert!(!Recovery::redelivers(2));
        // There is room for two transactions.
        chain.advance();
        assert_eq!(balances(), [0, 30, 0, 20, 1]);
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 5 });
        chain.advance();
        assert_eq!(told().last(), Some(&Event::Recovered { number: 1, held: 1, fell: 2 }));
        assert!(!Recovery::is_running() && !Recovery::is_frozen());
        assert_eq!(balances(), [0, 30, 0, 20, 1]);
        assert_eq!([1, 2, 3].map(nonce), [2, 1, 1], "no nonce goes back");

        let last = LastRecovery::<Test>::get().expect("it ended");
        assert_eq!((last.number, last.since, last.begun_at), (1, since, 5));
        assert_eq!((last.ended_at, last.deficit), (chain.head(), 150));
        assert_eq!((last.held, last.fell, last.abandoned), (1, 2, 0));
        let body = &chain.blocks[3].body;
        let fell = |index: u32, sender| FallenTransaction {
            place: Place { block: 3, index },
            // In front of users' transactions stands an inherent.
            hash: BlakeTwo256::hash(&body[index as usize + 1]),
            sender: Some(account(sender)),
            fall: Fall::Failed(POOR),
        };
        assert_eq!(Recovery::fallen(0, 10), [(0, fell(0, 1)), (1, fell(2, 3))]);
        assert_eq!(Recovery::fallen(1, MAX_LISTED), [(1, fell(2, 3))]);
        assert_eq!(Recovery::fallen(0, 1), [(0, fell(0, 1))]);
        assert!(Recovery::fallen(2, 1).is_empty());
        // Users are there again.
        chain.send(&[(2, 1, 5)]);
        assert_eq!(balance(1), 5);
    });
}

#[test]
fn what_is_not_wanted_is_refused_and_changes_nothing() {
    on_chain(|chain| {
        doubtful(chain);
        // None runs.
        let point = point_of(chain, 1);
        refused(chain, point.clone(), Error::NotWanted);
        chain.vote();

        refused(chain, RecoveryStep::Page(vec![]), Error::NotWanted);
        let third = block_of(chain, 3);
        refused(chain, third.clone(), Error::NotWanted);
        let other = point_of(chain, 2);
        refused(chain, other, Error::WrongBlock);
        assert_noop!(
            Recovery::advance(RuntimeOrigin::signed(account(1)), point.clone()),
            DispatchError::BadOrigin
        );
        assert_ok!(Recovery::advance(RawOrigin::None.into(), point.clone()));
        let Some(good) = chain.step() else { panic!("a page is wanted") };
        assert!(matches!(good, RecoveryStep::Page(_)));
        assert_eq!(
            Recovery::advance(RawOrigin::None.into(), good.clone()).map_err(|failed| failed.error),
            Err(Error::<Test>::OneStepABlock.into())
        );
        chain.idle(1);
        assert!(!Advanced::<Test>::exists());

        refused(chain, point, Error::NotWanted);
        for nodes in [vec![], vec![vec![1, 2, 3]], vec![vec![0; 100]; 7]] {
            refused(chain, RecoveryStep::Page(nodes), Error::BadPage);
        }
        let large = vec![vec![0; MAX_PAGE_BYTES as usize + 1]];
        let many = vec![vec![]; MAX_PAGE_NODES as usize + 1];
        for nodes in [large, many] {
            refused(chain, RecoveryStep::Page(nodes), Error::PageTooLarge);
        }
        assert_ok!(try_step(chain, good));
        until_restored(chain);
        refused(chain, third.clone(), Error::NotWanted);
        chain.advance();

        let other = block_of(chain, 2);
        refused(chain, other, Error::WrongBlock);
        let RecoveryStep::Block { header, body, events } = third.clone() else { panic!("a block") };
        let shorter = body[1..].to_vec();
        let wrong = |body: &[Vec<u8>], events: &[Vec<u8>]| RecoveryStep::Block {
            header: header.clone(),
            body: body.to_vec(),
            events: events.to_vec(),
        };
        refused(chain, wrong(&shorter, &events), Error::WrongBody);
        // Attack: what failed is said to have succeeded.
        let others = events_of(&chain.blocks[2].state);
        for events in [&[][..], &events[1..], &others[..]] {
            refused(chain, wrong(&body, events), Error::BadEvents);
        }
        let large = vec![vec![0; MAX_EVENTS_BYTES as usize + 1]];
        let many = vec![vec![]; MAX_EVENTS_NODES as usize + 1];
        for events in [large, many] {
            refused(chain, wrong(&body, &events), Error::EventsTooLarge);
        }
        assert_ok!(try_step(chain, third));
        chain.recover();
        assert_eq!(balances(), [0, 30, 0, 20, 1]);
    });
}

#[test]
fn a_leader_brings_what_its_node_has_if_it_is_wanted() {
    on_chain(|chain| {
        doubtful(chain);
        let given = |step: &RecoveryStep| {
            let mut data = InherentData::new();
            data.put_data(RECOVERY_IDENTIFIER, step).expect("it is empty");
            Recovery::create_inherent(&data)
        };
        let (point, other) = (point_of(chain, 1), point_of(chain, 2));
        assert_eq!(given(&point), None);
        chain.vote();
        assert_eq!(given(&other), None);
        assert_eq!(given(&RecoveryStep::Page(vec![])), None);
        assert_eq!(Recovery::create_inherent(&InherentData::new()), None);
        let call = given(&point).expect("it is wanted");
        assert_eq!(call, crate::Call::advance { step: point });
        assert!(Recovery::is_inherent(&call));
        chain.advance();
        assert!(given(&RecoveryStep::Page(vec![])).is_some());
    });
}

#[test]
fn a_step_looks_at_no_more_keys_than_it_may() {
    on_chain(|chain| {
        doubtful(chain);
        // Since block 1 somebody made many accounts.
        let key = |number: u32| [b"money:\x09".as_slice(), &number.to_be_bytes()].concat();
        let count = MAX_KEYS_PER_STEP + 500;
        (0..count).for_each(|number| unhashed::put(&key(number), &1u64));
        chain.vote();
        chain.advance();
        chain.advance();
        let left = || (0..count).filter(|number| unhashed::exists(&key(*number))).count() as u32;
        assert_eq!(left(), count);
        chain.advance();
        // Accounts 1 to 4 come first.
        assert_eq!((left(), balances()), (504, [0, 51, 0, 0, 4]));
        assert_eq!(phase(), RecoveryPhase::Restoring { part: 1, parts: 2 });
        chain.advance();
        assert_eq!((left(), balances()), (0, [0, 51, 0, 0, 0]));
        assert_eq!(phase(), RecoveryPhase::Mending);
    });
}

#[test]
fn r19_2_relay_votes_that_are_withheld_lock_nobody_up() {
    on_chain(|chain| {
        doubtful(chain);
        chain.vote();
        until_restored(chain);
        chain.idle(PATIENCE - 1);
        assert_eq!(phase(), RecoveryPhase::L1Again);
        chain.idle(1);
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 5 });
        assert!(Recovery::redelivers(2), "it is still to come");
        while Recovery::is_running() {
            let content = Content { step: chain.step(), ..Content::default() };
            chain.block(content).expect("it is wanted");
        }
        assert_eq!((balances(), Applied::get()), ([0, 30, 0, 20, 1], 1));
        chain.block(Content { l1: true, ..Content::default() }).expect("there is no step");
        assert!(!Recovery::redelivers(2));
    });
}

#[test]
fn r19_4_a_block_that_nobody_brings_falls_alone_and_is_told() {
    on_chain(|chain| {
        doubtful(chain);
        // Blocks 5 to 7.
        for amount in 1..=3 {
            chain.send(&[(2, 1, amount)]);
        }
        chain.vote();
        until_restored(chain);
        chain.advance();
        // Half of block 3, and no more.
        chain.advance();
        chain.idle(PATIENCE - 1);
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 8 });
        chain.idle(1);
        assert_eq!(told(), [Event::BlockAbandoned { number: 3, from: 2 }]);
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 5, last: 8 });
        // Nor does anybody bring block 5: that is noticed sooner.
        chain.idle(NEXT_PATIENCE - 1);
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 5, last: 8 });
        chain.idle(1);
        assert_eq!(told(), [Event::BlockAbandoned { number: 5, from: 0 }]);
        let progress = Recovery::recovery_overview().running.expect("one runs");
        assert_eq!((progress.abandoned, progress.held, progress.fell), (2, 1, 1));
        assert_eq!(balances(), [0, 30, 0, 20, 1]);

        chain.advance();
        assert_eq!(balances(), [2, 27, 0, 20, 2]);
        chain.advance();
        assert_eq!(told(), [Event::Recovered { number: 1, held: 3, fell: 1 }]);
        assert_eq!(balances(), [5, 23, 0, 20, 3]);
        let last = LastRecovery::<Test>::get().expect("it ended");
        assert_eq!((last.abandoned, last.ended_at), (2, chain.head()));
    });
}

/// Attack: a transaction on which the runtime fails when it is repeated, so that no leader
/// makes a block with it.
#[test]
fn r19_3_a_transaction_that_cannot_be_repeated_costs_its_block_and_no_other() {
    on_chain(|chain| {
        doubtful(chain);
        chain.send(&[(2, 1, 1)]);
        chain.vote();
        until_restored(chain);
        chain.advance();
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 6 });
        // The second of block 3 that is repeated.
        Trap::set(Some(2));
        for _ in 0..PATIENCE {
            let step = chain.step().expect("block 3 is wanted");
            // As the block builder does: what it came to is undone.
            sp_io::storage::start_transaction();
            let tried = std::panic::catch_unwind(move || {
                let _ = Recovery::advance(RawOrigin::None.into(), step);
            });
            sp_io::storage::rollback_transaction();
            assert!(tried.is_err(), "its leader makes a block without it");
            chain.idle(1);
        }
        assert_eq!(told(), [Event::BlockAbandoned { number: 3, from: 0 }]);
        chain.recover();
        assert_eq!(balances(), [1, 49, 0, 0, 1]);
        let last = LastRecovery::<Test>::get().expect("it ended");
        assert_eq!((last.held, last.fell, last.abandoned), (1, 0, 1));
    });
}

/// Attack: a payment failed inside of a transaction, and was made once more by another one.
#[test]
fn r19_3_what_had_failed_in_part_falls_and_what_does_now_does_so_as_well() {
    on_chain(|chain| {
        chain.l1_block(&[1]);
        chain.l1_block(&[0]);
        // Accounts 1 and 2 have 50 and 51. Of the first one only one payment is made. The
        // third one is made in full, with what L1 drops.
        chain.send(&[(2, 4, BATCH + 30), (2, 3, 5), (1, 3, BATCH + 20), (2, 1, BATCH + 5)]);
        assert_eq!((chain.partly.clone(), chain.succeeded.clone()), (vec![1], vec![2, 3, 4]));
        assert_eq!(balances(), [19, 3, 45, 30, 4]);
        assert!(chain.fork(1, 150));
        chain.l1_block(&[]);
        chain.vote();
        chain.recover();

        // Account 2 had 51: it paid 5, then twice 5, with two fees.
        assert_eq!(balances(), [10, 34, 5, 0, 2]);
        let fell: Vec<_> = Recovery::fallen(0, 9)
            .into_iter()
            .map(|(_, fallen)| (fallen.place.index, fallen.fall))
            .collect();
        assert_eq!(fell, [(0, Fall::PartlyFailed), (2, Fall::Failed(POOR))]);
        assert_eq!(PassedOver::get(), [1]);
        let last = LastRecovery::<Test>::get().expect("it ended");
        assert_eq!((last.held, last.fell), (2, 2));
    });
}

/// Attack: an account was reaped, so that its nonce is behind; what it signed and what failed
/// is sent in once more.
#[test]
fn r19_3_the_nonce_of_what_had_failed_is_used_all_the_same() {
    on_chain(|chain| {
        doubtful(chain);
        chain.vote();
        chain.recover();
        assert_eq!(PassedOver::get(), [4]);
    });
}

/// Offences since the point are punished before what comes after them is repeated.
#[test]
fn a_block_that_may_not_be_repeated_yet_is_not_wanted_and_nobody_is_late() {
    on_chain(|chain| {
        doubtful(chain);
        chain.vote();
        until_restored(chain);
        chain.advance();
        assert_eq!(phase(), RecoveryPhase::Replaying { block: 3, last: 5 });
        Behind::set(Some(3));
        assert_eq!(Recovery::recovery_wanted(), None);
        let third = block_of(chain, 3);
        assert_eq!(try_step(chain, third.clone()), Err(Error::<Test>::NotWanted.into()));
        chain.idle(3 * PATIENCE);
        assert!(Recovery::is_running());
        Behind::set(Some(4));
        assert_ok!(try_step(chain, third.clone()));
        assert_ok!(try_step(chain, third));
        chain.idle(3 * PATIENCE);
        assert!(Recovery::is_running() && Recovery::recovery_wanted().is_none());
        Behind::set(None);
        chain.idle(1);
        assert_eq!(told(), [Event::Recovered { number: 1, held: 1, fell: 2 }]);
        assert_eq!(balances(), [0, 30, 0, 20, 1]);
    });
}

/// Code that is set in the block in which a recovery begins migrates the state with the next.
#[test]
fn p20_new_code_that_comes_first_calls_a_recovery_off() {
    on_chain(|chain| {
        doubtful(chain);
        chain.vote();
        CodeChanged::set(true);
        chain.advance();
        assert_eq!(told(), [Event::CalledOff { number: 1 }]);
        assert!(!Recovery::is_running());
        assert_eq!(balances(), [8, 30, 29, 30, 4]);
        assert_eq!(Recovery::recovery_subject(), None);
    });
}

/// What the chain itself had applied stands in no body.
#[test]
fn r19_4_what_l1_forced_into_undone_blocks_is_told_after_the_recovery() {
    on_chain(|chain| {
        let forced = Transfer { from: 2, to: 1, amount: 5, id: 200 }.encoded();
        assert!(!Recovery::tell_forced(3, &forced), "there was no recovery");
        doubtful(chain);
        chain.vote();
        assert!(!Recovery::tell_forced(3, &forced), "it runs");
        chain.recover();
        let last = LastRecovery::<Test>::get().expect("it ended");
        assert_eq!((last.since.number, last.begun_at, last.fell), (1, 5, 2));
        assert!(!Recovery::tell_forced(1, &forced), "it is in the state");
        assert!(!Recovery::tell_forced(6, &forced), "it came later");
        assert!(Recovery::tell_forced(5, &forced));
        let fell = FallenTransaction {
            place: Place { block: 5, index: FORCED_INDEX },
            hash: BlakeTwo256::hash(&forced),
            sender: Some(account(2)),
            fall: Fall::Refused(InvalidTransaction::Stale.into()),
        };
        assert_eq!(Recovery::fallen(2, 10), [(2, fell.clone())]);
        let FallenTransaction { place, hash, sender, fall } = fell;
        assert_eq!(told().last(), Some(&Event::Fell { index: 2, place, hash, sender, fall }));
    });
}

#[test]
fn a_recovery_of_which_nothing_was_restored_is_called_off() {
    on_chain(|chain| {
        doubtful(chain);
        let old = [0, 1, 2].map(vote);
        chain.vote();
        // The header alone restores nothing.
        chain.advance();
        chain.idle(PATIENCE - 1);
        assert!(Recovery::is_frozen());
        chain.idle(1);
        assert_eq!(told(), [Event::CalledOff { number: 1 }]);
        assert!(!Recovery::is_running());
        assert_eq!(balances(), [8, 30, 29, 30, 4]);
        assert_eq!((LastRecovery::<Test>::get(), Count::<Test>::get()), (None, 1));
        assert!(Standing::get().is_some());
        // The votes that began it begin no second one.
        for vote in old {
            assert_noop!(
                Recovery::vote(RawOrigin::Authorized.into(), vote),
                Error::<Test>::WrongSubject
            );
        }
        // Nor is there one to be voted on: it would be called off again. Root knows better.
        assert_eq!(Recovery::recovery_subject(), None);
        assert_eq!(Recovery::recovery_overview().why_not, Some(NoRecovery::CalledOff));
        assert_ok!(Recovery::force(RawOrigin::Root.into()));
        chain.idle(1);
        assert!(Recovery::is_frozen());
        chain.advance();
        chain.advance();
        // Once something is restored there is no way back.
        chain.idle(3 * PATIENCE);
        assert_eq!(phase(), RecoveryPhase::Restoring { part: 1, parts: 2 });
        chain.recover();
        assert_eq!(balances(), [0, 30, 0, 20, 1]);
        assert_eq!(LastRecovery::<Test>::get().map(|last| last.number), Some(2));
    });
}

#[test]
fn r19_4_it_is_told_why_none_can_begin() {
    on_chain(|chain| {
        let why = || Recovery::recovery_overview().why_not;
        let force = || Recovery::force(RuntimeOrigin::root());
        assert_eq!(why(), Some(NoRecovery::NothingStands));
        chain.idle(9);
        let point = RecoveryPoint { l1_height: 3, number: 5, hash: H256::repeat_byte(5) };
        let standing = |since| {
            let common = L1BlockContext { height: 2, ..Default::default() };
            Some(StandingDoubt { since, common, deficit: 100 })
        };
        Standing::set(standing(None));
        assert_eq!(why(), Some(NoRecovery::PointForgotten));
        assert_noop!(force(), Error::<Test>::PointForgotten);
        Standing::set(standing(Some(point)));
        assert_eq!(why(), None);

        CodeChanged::set(true);
        assert_eq!(why(), Some(NoRecovery::CodeChanged));
        assert_noop!(force(), Error::<Test>::CodeChanged);
        CodeChanged::set(false);

        let last = |ended_at| {
            let point = RecoveryPoint { number: 1, ..point };
            cascoin_l2_primitives::recovery::LastRecovery {
                since: point,
                begun_at: 2,
                ended_at,
                ..Default::default()
            }
        };
        LastRecovery::<Test>::put(last(5));
        assert_eq!(why(), Some(NoRecovery::EarlierRecovery));
        assert_noop!(force(), Error::<Test>::EarlierRecovery);
        LastRecovery::<Test>::put(last(4));
        assert_eq!(why(), None);

        for threshold in [101, 0] {
            Threshold::set(threshold);
            assert_eq!(why(), Some(NoRecovery::BelowThreshold));
            assert_eq!(Recovery::recovery_subject(), None);
        }
        // For Root any deficit is enough.
        assert_ok!(force());
        chain.idle(1);
        assert_eq!((why(), Recovery::is_frozen()), (None, true));
        assert_noop!(force(), Error::<Test>::Running);
        Running::<Test>::kill();

        System::set_block_number(point.number + KEPT);
        assert_eq!(why(), Some(NoRecovery::BelowThreshold));
        System::set_block_number(point.number + KEPT + 1);
        assert_eq!(why(), Some(NoRecovery::TooFarBack));
        assert_noop!(force(), Error::<Test>::TooFarBack);
    });
}

#[test]
fn it_is_noted_which_blocks_had_users() {
    on_chain(|chain| {
        chain.l1_block(&[0]);
        chain.send(&[(1, 2, 5), (1, 2, 200), (2, 3, 1), (2, 3, 200)]);
        assert_eq!((HadUsers::<Test>::get(), UsersIn::<Test>::get()), (false, Some(2)));
        chain.idle(1);
        assert_eq!(UsersIn::<Test>::get(), None);
        assert_eq!(UserBlocks::<Test>::get(2), Some(chain.blocks[2].header.hash()));
        assert_eq!(UserBlocks::<Test>::iter().count(), 1);
        // Nobody signed a sequencer's vote.
        note(RawOrigin::Authorized.into(), Ok(()));
        assert!(!HadUsers::<Test>::get());
    });
}

/// What runs for users at the beginning of a block does before this pallet's own hook.
#[test]
fn a_user_in_the_hooks_of_a_block_is_one_of_that_block() {
    on_chain(|chain| {
        chain.idle(1);
        let parent = chain.blocks[1].header.hash();
        System::initialize(&2, &parent, &Default::default());
        HadUsers::<Test>::put(true);
        Recovery::on_initialize(2);
        assert!(!UserBlocks::<Test>::contains_key(1), "the parent had none");
        Recovery::on_finalize(2);
        let hash = H256::repeat_byte(2);
        System::initialize(&3, &hash, &Default::default());
        Recovery::on_initialize(3);
        assert_eq!(UserBlocks::<Test>::iter().collect::<Vec<_>>(), [(2, hash)]);
    });
}

#[test]
fn p20_none_begins_while_an_l1_block_is_delivered_in_part() {
    on_chain(|chain| {
        doubtful(chain);
        InPart::set(true);
        for voter in 0..3 {
            assert_ok!(Recovery::vote(RawOrigin::Authorized.into(), vote(voter)));
        }
        chain.idle(2);
        assert!(!Recovery::is_running());
        InPart::set(false);
        chain.idle(1);
        assert!(Recovery::is_frozen(), "the votes hold");
        Running::<Test>::kill();

        InPart::set(true);
        assert_ok!(Recovery::force(RuntimeOrigin::root()));
        chain.idle(2);
        assert!(!Recovery::is_running());
        InPart::set(false);
        chain.idle(1);
        assert!(Recovery::is_frozen(), "and so does Root's word");
    });
}

#[test]
fn r19_2_l1_that_gets_on_is_waited_for_but_not_for_ever() {
    on_chain(|chain| {
        doubtful(chain);
        chain.vote();
        until_restored(chain);
        TurnsDue::set(true);
        let again = DeliveredAgain::<Test>::get().expect("it is waited for");
        assert_eq!((again.begun_at, again.applied, again.turns), (chain.head(), 1, 0));
        chain.idle(PATIENCE - 1);
        chain.advance();
        assert_eq!(Applied::get(), 2);
        // A block moves it, and a burn's turn.
        for _ in 0..2 {
            chain.idle(PATIENCE - 1);
            assert_eq!(phase(), RecoveryPhase::L1Again);
            Turns::mutate(|turns| *turns += 1);
            chain.idle(1);
        }
        while phase() == RecoveryPhase::L1Again {
            Turns::mutate(|turns| *turns += 1);
            chain.idle(1);
        }
        assert_eq!(chain.head(), again.begun_at + MAX_PATIENCE * PATIENCE);
        assert_eq!(DeliveredAgain::<Test>::get(), None);
    });
}

#[test]
fn notes_are_kept_as_long_as_states_and_for_a_recovery_that_runs() {
    on_chain(|chain| {
        chain.l1_block(&[0]);
        chain.send(&[(1, 2, 200)]);
        chain.idle(1);
        let is_noted = || UserBlocks::<Test>::contains_key(2);
        let at = |number| Recovery::on_initialize(number);
        // Two heights a block at most.
        at(NOTES_KEPT + 3);
        assert!(is_noted());
        at(NOTES_KEPT + 2);
        assert!(is_noted(), "it is just young enough");
        doubtful_run();
        at(NOTES_KEPT + 9);
        assert!(is_noted());
        Running::<Test>::kill();
        at(NOTES_KEPT + 9);
        assert!(!is_noted());
    });
}

/// A recovery that runs, of whatever.
fn doubtful_run() {
    Running::<Test>::put(crate::types::RecoveryRun {
        number: 1,
        since: RecoveryPoint::default(),
        common: L1BlockContext::default(),
        deficit: 1,
        begun_at: 1,
        phase: crate::types::Phase::L1Again,
        moved_at: 1,
        applied_before: 0,
        held: 0,
        fell: 0,
        abandoned: 0,
    });
}
