//! A recovery from its beginning to its end, in whole blocks: L1 drops a burn, what was
//! minted for it is spent, and the chain ends where one is that never heard of the burn.

use crate::{
    chain::{preset, transfer, undone, Applied, Chain},
    hand_over::{carry, consented},
    recovery::{entries, trie, Entries},
    relay::{attest_all, block_of, fork_quorum, quorum, TIP_TIME},
    sessions::{aligned_set, grow_to, SESSION},
};
use cascoin_l2_primitives::{
    l1::{
        burn::{BurnPayload, Recipient},
        L1Hash, OutPoint,
    },
    recovery::{
        events_key, recovery_message, Cursor, Fall, FallenTransaction, Place, RecoveryPhase,
        RecoveryStatus, RecoveryStep, RecoveryVote, Wanted,
    },
    relay::{
        EventPage, ForkPoint, L1BlockContext, L1BlockDigest, L1Event, PageProof, RECOVERY_WINDOW,
    },
    sequencers::{Offence, OffenceKind, OnOffence},
};
use cascoin_l2_runtime::{
    configs::ProxyType, AccountId, Balances, Block, BurnMint, Executive, Header, L1Relay,
    NoPublicCallsInRecovery, Recovery, RecoveryPoint, Rewards, Runtime, RuntimeCall, Session,
    System, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::traits::{fungible::Inspect, Contains, Get};
use pallet_rate_limit::CHAIN_HALTED;
use pallet_recovery::types::{Phase, RecoveryRun};
use sp_core::{ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Eve, Ferdie, One, Two};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
    ExtrinsicInclusionMode,
};
use sp_trie::{recorder::Recorder, LayoutV1, Trie, TrieDBBuilder};

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
const COIN: u128 = 100_000_000;
const SEEDS: [&str; 3] = ["//Alice", "//Bob", "//Charlie"];

fn burn(tx: u8, who: Sr25519Keyring) -> L1Event {
    let value = 1_000_000_000;
    let recipient = Recipient::Account(who.to_account_id());
    let payload = BurnPayload { chain_id: CHAIN, recipient, amount: value };
    L1Event::Burn {
        outpoint: OutPoint { txid: L1Hash([tx; 32]), vout: 1 },
        value,
        payload: payload.encode().to_vec().try_into().expect("it is kept whole"),
    }
}

fn bond(amount: u128) -> RuntimeCall {
    RuntimeCall::Stake(pallet_stake::Call::bond { amount })
}

/// The relay's start.
fn start() -> L1BlockContext {
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    L1BlockContext { height: start.height, hash: start.hash, ..Default::default() }
}

/// The branch that L1 stays on: only the burn for Two stands on it.
fn branch() -> (Vec<L1BlockDigest>, Vec<EventPage>) {
    let (first, pages) = block_of(1, vec![burn(2, Two)]);
    let mut previous = start().hash;
    let blocks = (1..=1 + RECOVERY_WINDOW)
        .map(|above| {
            let base = if above == 1 { first } else { block_of(1, vec![]).0 };
            let hash = L1Hash([100 + above as u8; 32]);
            let digest = L1BlockDigest { height: start().height + above, hash, previous, ..base };
            previous = hash;
            digest
        })
        .collect();
    (blocks, pages)
}

fn page(height: u32, pages: &[EventPage]) -> UncheckedExtrinsic {
    let proof = PageProof::of(pages, 0).expect("the page is there");
    L1Relay::page_extrinsic(height, pages[0].clone(), proof)
}

/// The branch is attested, and its burn delivered.
fn deliver(chain: &mut Chain) {
    let (blocks, pages) = branch();
    attest_all(chain, &blocks, TIP_TIME + 2);
    let (_, applied) = chain.grow(vec![page(blocks[0].height, &pages)]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(chain.read(L1Relay::applied).height, start().height + 1 + RECOVERY_WINDOW);
}

/// A chain with a deficit, and what a node of it has.
struct Story {
    chain: Chain,
    /// The block before the dropped burn, and its state.
    point: Header,
    state: Entries,
    /// Blocks since that had users' transactions, and what shows their events.
    blocks: Vec<(Block, Vec<Vec<u8>>)>,
    /// What users signed in the first of them.
    users: Vec<UncheckedExtrinsic>,
    /// Bob's stake after its offence.
    stake: u128,
}

fn genesis(threshold: u128) -> Chain {
    let mut genesis = preset("regtest");
    genesis.chain_parameters.parameters.recovery_threshold = threshold;
    let mut chain = Chain::from(genesis);
    let bonds = chain.sign(Bob, 0, 0, bond(100 * COIN));
    let (_, applied) = chain.grow(vec![bonds]);
    assert_eq!(applied, [Ok(Ok(()))]);
    chain
}

fn stake_of(chain: &mut Chain, who: Sr25519Keyring) -> u128 {
    let account: AccountId = who.to_account_id();
    chain.read(|| pallet_stake::Ledgers::<Runtime>::get(account).map_or(0, |one| one.bonded))
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> u128 {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::total_balance(&account))
}

/// Bob moves the clock, and loses some of its stake.
fn offend() {
    offend_of(Bob);
}

fn offend_of(who: Sr25519Keyring) {
    let offender = who.to_account_id();
    let kind = OffenceKind::TimestampManipulation;
    let offence = Offence { kind, offender, set_id: 0, height: 2 };
    <Runtime as pallet_timestamp_guard::Config>::OnOffence::on_offence(&offence);
}

/// The nodes that show the events of the block that was executed last.
fn events_of(chain: &mut Chain) -> Vec<Vec<u8>> {
    let (root, nodes) = trie(&entries(chain));
    assert_eq!(root, chain.head.state_root);
    let nodes = nodes.into_memory_db::<BlakeTwo256>();
    let recorder = Recorder::<BlakeTwo256>::default();
    {
        let mut recorded = recorder.as_trie_recorder(root);
        let trie = TrieDBBuilder::<LayoutV1<BlakeTwo256>>::new(&nodes, &root)
            .with_recorder(&mut recorded)
            .build();
        assert!(trie.get(&events_key()).expect("the trie is whole").is_some());
    }
    recorder.drain_storage_proof().into_iter_nodes().collect()
}

/// L1 drops the burn for One, which has paid Ferdie with it.
fn story(threshold: u128) -> Story {
    let (story, applied) = story_of(threshold, |chain| {
        vec![
            chain.sign(One, 0, 0, transfer(Ferdie, 4 * COIN)),
            chain.sign(Two, 0, 0, transfer(Eve, COIN)),
            chain.sign(Alice, 0, 0, transfer(Eve, COIN)),
            // More than it has.
            chain.sign(Two, 1, 0, transfer(Eve, 1_000 * COIN)),
            chain.sign(Eve, 0, 0, bond(50 * COIN)),
        ]
    });
    assert!(matches!(applied[3], Ok(Err(_))), "{applied:?}");
    let succeeded = applied.iter().filter(|result| **result == Ok(Ok(()))).count();
    assert_eq!(succeeded, 4, "{applied:?}");
    story
}

/// L1 drops the burn for One, after users did something in one block; what became of it.
fn story_of(
    threshold: u128,
    users: impl FnOnce(&mut Chain) -> Vec<UncheckedExtrinsic>,
) -> (Story, Vec<Applied>) {
    let mut chain = genesis(threshold);
    let (point, state) = (chain.head.clone(), entries(&mut chain));
    assert_eq!(trie(&state).0, point.state_root);

    let (dropped, pages) = block_of(1, vec![burn(1, One), burn(2, Two)]);
    let mut relayed = quorum(&mut chain, dropped, TIP_TIME);
    relayed.push(page(dropped.height, &pages));
    let (_, applied) = chain.grow(relayed);
    assert_eq!(applied, [Ok(Ok(())); 4]);
    let users = users(&mut chain);
    let (block, done) = chain.grow(users.clone());
    let events = events_of(&mut chain);
    chain.read(offend);
    let stake = stake_of(&mut chain, Bob);
    assert!(stake > 0 && stake < 100 * COIN);

    let fork = ForkPoint { common: start(), branch: branch().0[0].hash, replaced: dropped.hash };
    let votes = fork_quorum(&mut chain, fork, TIP_TIME + 1);
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    deliver(&mut chain);
    for _ in 0..3 {
        chain.grow(vec![]);
    }
    let status = chain.read(RecoveryPoint::status);
    assert!(status.doubt.is_some_and(|doubt| doubt.stands), "{status:?}");
    assert!(status.deficit >= 4 * COIN, "what is paid cannot be taken back");
    (Story { chain, point, state, blocks: vec![(block, events)], users, stake }, done)
}

/// What becomes of users' transactions while they wait: who sends one in is not banned for it.
const HALTED: Applied =
    Err(TransactionValidityError::Unknown(UnknownTransaction::Custom(CHAIN_HALTED)));

fn advance(step: RecoveryStep) -> UncheckedExtrinsic {
    UncheckedExtrinsic::new_bare(RuntimeCall::Recovery(pallet_recovery::Call::advance { step }))
}

fn phase(chain: &mut Chain) -> Option<RecoveryPhase> {
    chain.read(|| Recovery::recovery_overview().running.map(|running| running.phase))
}

impl Story {
    fn agree(&mut self) {
        let subject = self.chain.read(Recovery::recovery_subject).expect("one can begin");
        assert_eq!((subject.number, subject.common), (1, start()));
        assert_eq!((subject.since.number, subject.since.hash), (1, self.point.hash()));
        let genesis: H256 = self.chain.read(|| System::block_hash(0));
        let message = recovery_message(&genesis, 0, &subject);
        for (seed, voter) in SEEDS.into_iter().zip(0..) {
            assert!(!self.chain.read(Recovery::is_running));
            let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
            let vote = RecoveryVote { set_id: 0, voter, subject, signature };
            let vote = Recovery::recovery_vote_extrinsic(vote);
            let (_, applied) = self.chain.grow(vec![vote]);
            assert_eq!(applied, [Ok(Ok(()))]);
        }
        assert!(self.chain.read(Recovery::is_frozen), "three of four agree");
    }

    /// What the next block's leader brings, from what a node has.
    fn step(&mut self) -> Option<RecoveryStep> {
        Some(match self.chain.read(Recovery::recovery_wanted)? {
            Wanted::Point { hash } => {
                assert_eq!(hash, self.point.hash());
                RecoveryStep::Point(Box::new(self.point.clone()))
            }
            Wanted::Page { .. } => {
                RecoveryStep::Page(trie(&self.state).1.into_iter_nodes().collect())
            }
            Wanted::Block { number, hash } => {
                let of_block = self.blocks.iter().find(|(block, _)| block.header.number == number);
                let (block, events) =
                    of_block.expect("only those with users' transactions are wanted").clone();
                assert_eq!(block.header.hash(), hash);
                let body = block.extrinsics.iter().map(Encode::encode).collect();
                RecoveryStep::Block { header: Box::new(block.header), body, events }
            }
        })
    }

    /// What would become of a transaction in the next block.
    fn tried(&mut self, transaction: UncheckedExtrinsic) -> Applied {
        let time = self.chain.time + 500;
        let (_, mut applied) = self.chain.build(time, vec![transaction]);
        applied.remove(0)
    }

    /// Steps that are not the one that is due.
    fn refuse_wrong_steps(&mut self) {
        let mut wrong = vec![RecoveryStep::Point(Box::new(self.chain.head.clone()))];
        let of_now = entries(&mut self.chain);
        wrong.push(RecoveryStep::Page(trie(&of_now).1.into_iter_nodes().collect()));
        wrong.push(RecoveryStep::Page(vec![]));
        let (block, events) = self.blocks[0].clone();
        let body: Vec<_> = block.extrinsics.iter().map(Encode::encode).collect();
        let header = Box::new(self.chain.head.clone());
        wrong.push(RecoveryStep::Block { header, body: body.clone(), events });
        // Without what shows what failed in it.
        let header = Box::new(block.header);
        wrong.push(RecoveryStep::Block { header, body, events: vec![] });
        for step in wrong {
            assert_eq!(self.tried(advance(step)), Err(InvalidTransaction::BadMandatory.into()));
        }
    }

    /// Runs it to its end; returns the phases, each once.
    fn run(&mut self) -> Vec<&'static str> {
        let mut phases = Vec::new();
        let mut is_delivered = false;
        for _ in 0..300 {
            let Some(phase) = phase(&mut self.chain) else { return phases };
            let (name, is_frozen) = match phase {
                RecoveryPhase::Restoring { .. } => ("restoring", true),
                RecoveryPhase::Mending => ("mending", true),
                RecoveryPhase::L1Again => ("L1 again", false),
                RecoveryPhase::Replaying { .. } => ("replaying", false),
            };
            assert_eq!(self.chain.read(Recovery::is_frozen), is_frozen);
            self.refuse_wrong_steps();
            if phases.last() != Some(&name) {
                phases.push(name);
                let header = self.chain.unfinished(self.chain.time + 500);
                let mode = self.chain.read(|| undone(|| Executive::initialize_block(&header)));
                let only_inherents = mode == ExtrinsicInclusionMode::OnlyInherents;
                assert_eq!(only_inherents, is_frozen);
                // A block without a step is valid, and nothing is lost by it.
                self.chain.grow(vec![]);
                if !is_frozen {
                    // Whatever it is: it could void what its signer had paid.
                    let empty = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![] });
                    let nonce = self.chain.read(|| System::account_nonce(Eve.to_account_id()));
                    for call in [transfer(Ferdie, COIN), bond(COIN), empty] {
                        let signed = self.chain.sign(Eve, nonce, COIN, call);
                        assert_eq!(self.tried(signed), HALTED, "users wait");
                    }
                }
                continue;
            }
            if name == "L1 again" && !is_delivered {
                deliver(&mut self.chain);
                is_delivered = true;
                continue;
            }
            let steps: Vec<_> = self.step().map(advance).into_iter().collect();
            let (_, applied) = self.chain.grow(steps);
            assert!(applied.iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");
        }
        panic!("it does not end: {:?}", phase(&mut self.chain));
    }
}

/// What holds of the books whatever happened.
fn check_books(chain: &mut Chain) {
    chain.read(|| {
        let all = frame_system::Account::<Runtime>::iter_values()
            .map(|account| account.data.free + account.data.reserved)
            .sum::<u128>();
        assert_eq!(all, <Balances as Inspect<AccountId>>::total_issuance());
        let supply = BurnMint::supply();
        assert!(supply.valid);
        assert_eq!(supply.deficit, 0);
        assert!(
            Balances::total_balance(&Rewards::pot()) >= pallet_rewards::BonusPool::<Runtime>::get()
        );
        for (account, ledger) in pallet_stake::Ledgers::<Runtime>::iter() {
            assert_eq!(System::account(account).data.reserved, ledger.total());
        }
        for (who, account) in frame_system::Account::<Runtime>::iter() {
            let has_keys = pallet_session::NextKeys::<Runtime>::contains_key(&who);
            let money = account.data.reserved > 0 || account.data.frozen > 0;
            // Genesis gives sequencers' keys no reference: their accounts come later.
            let most = u32::from(money) + u32::from(has_keys);
            assert!((u32::from(money)..=most).contains(&account.consumers), "{who:?}");
            assert!(account.providers > 0, "{who:?}");
        }
    });
}

/// R17.6: a set that stands still while the state is half restored is taken over from as well,
/// and the recovery goes on.
#[test]
fn r17_6_others_take_over_while_a_recovery_runs() {
    let mut story = story(1);
    story.agree();
    let hand_over = consented(&mut story.chain, 1, &[Alice, Bob]);
    let running = story.chain.read(pallet_rewards::RunningSet::<Runtime>::get);
    carry(&mut story.chain, &hand_over);
    let set = aligned_set(&mut story.chain);
    assert_eq!((set.set_id, set.members.len()), (1, 2));
    assert!(story.chain.read(Recovery::is_frozen));
    // The books are on their way back, and nobody else writes into them.
    assert_eq!(story.chain.read(pallet_rewards::RunningSet::<Runtime>::get), running);
    for _ in 0..100 {
        if !story.chain.read(Recovery::is_frozen) {
            break;
        }
        let steps: Vec<_> = story.step().map(advance).into_iter().collect();
        let (_, applied) = story.chain.grow(steps);
        assert!(applied.iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");
    }
    assert_eq!(phase(&mut story.chain), Some(RecoveryPhase::L1Again));
    let seats = story.chain.read(pallet_rewards::RunningSet::<Runtime>::get);
    assert_eq!((seats.set_id, seats.seats.len()), (1, 2));
    story.chain.grow(vec![]);
    assert_eq!(aligned_set(&mut story.chain), set);
}

#[test]
fn p20_a_recovery_ends_where_a_chain_is_that_never_heard_of_the_dropped_burn() {
    let mut story = story(1);
    story.agree();
    let phases = story.run();
    assert_eq!(phases, ["restoring", "mending", "L1 again", "replaying"]);

    let last = story.chain.read(|| Recovery::recovery_overview().last).expect("it is over");
    assert_eq!((last.number, last.held, last.fell), (1, 3, 1));
    assert_eq!(last.abandoned, 0);
    let fallen = FallenTransaction {
        place: Place { block: story.blocks[0].0.header.number, index: 0 },
        hash: BlakeTwo256::hash(&story.users[0].encode()),
        sender: Some(One.to_account_id()),
        fall: Fall::Refused(InvalidTransaction::Payment.into()),
    };
    assert_eq!(story.chain.read(|| Recovery::fallen(0, 10)), [(0, fallen)]);

    let mut clean = genesis(1);
    deliver(&mut clean);
    let users = vec![
        clean.sign(Two, 0, 0, transfer(Eve, COIN)),
        clean.sign(Alice, 0, 0, transfer(Eve, COIN)),
        clean.sign(Eve, 0, 0, bond(50 * COIN)),
    ];
    let (_, applied) = clean.grow(users);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    for who in [One, Two, Eve, Ferdie] {
        assert_eq!(balance(&mut story.chain, who), balance(&mut clean, who), "{who:?}");
        assert_eq!(stake_of(&mut story.chain, who), stake_of(&mut clean, who), "{who:?}");
    }
    assert_eq!(balance(&mut story.chain, One), 0);
    assert_eq!(stake_of(&mut story.chain, Bob), story.stake, "an offence costs once");
    check_books(&mut story.chain);
    let status = story.chain.read(RecoveryPoint::status);
    assert_eq!(status, RecoveryStatus::default());

    // No nonce went back: what fell is never sent in again.
    let nonces = [One, Two, Alice, Eve, Bob]
        .map(|who| story.chain.read(|| System::account_nonce(who.to_account_id())));
    assert_eq!(nonces, [1, 2, 1, 1, 1]);
    for old in story.users.clone() {
        assert_eq!(story.tried(old), Err(InvalidTransaction::Stale.into()));
    }
    let paid = story.chain.sign(Two, 2, 0, transfer(One, COIN));
    let (_, applied) = story.chain.grow(vec![paid]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let paid = story.chain.sign(One, 1, 0, transfer(Ferdie, COIN / 2));
    let (_, applied) = story.chain.grow(vec![paid]);
    assert_eq!(applied, [Ok(Ok(()))]);

    // Sessions end as ever.
    let session = story.chain.read(Session::current_index);
    let next = (story.chain.head.number / SESSION + 2) * SESSION + 1;
    grow_to(&mut story.chain, next);
    assert!(story.chain.read(Session::current_index) > session);
    check_books(&mut story.chain);
}

/// Root stops minting when L1 forks. What L1 still has was minted before, and was spent: it is
/// minted again all the same, or what was paid of it would fall.
#[test]
fn p20_what_had_been_minted_is_minted_again_although_minting_is_stopped() {
    let mut story = story(1);
    story.chain.read(|| pallet_burn_mint::Stopped::<Runtime>::put(true));
    story.agree();
    story.run();
    let last = story.chain.read(|| Recovery::recovery_overview().last).expect("it is over");
    assert_eq!((last.held, last.fell), (3, 1));
    assert!(balance(&mut story.chain, Two) > 8 * COIN);
    assert_eq!(balance(&mut story.chain, One), 0);
    assert!(story.chain.read(pallet_burn_mint::Stopped::<Runtime>::get), "it stays stopped");
    assert!(!story.chain.read(BurnMint::mints_again));
    check_books(&mut story.chain);
}

/// What goes to a pallet that stays is in force as it was: Root's word is not said again.
#[test]
fn p20_root_begins_one_and_what_it_said_is_not_repeated() {
    let mut story = story(0);
    assert_eq!(story.chain.read(Recovery::recovery_subject), None, "nobody votes for it");
    let force = RuntimeCall::Recovery(pallet_recovery::Call::force {});
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(force) });
    let forced = story.chain.sign(Alice, 1, 0, sudo);
    let (block, applied) = story.chain.grow(vec![forced]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let events = events_of(&mut story.chain);
    story.blocks.push((block, events));
    assert!(story.chain.read(Recovery::is_frozen));
    story.run();
    let last = story.chain.read(|| Recovery::recovery_overview().last).expect("it is over");
    assert_eq!((last.held, last.fell), (4, 1));
    assert!(!story.chain.read(Recovery::is_running), "none began once more");
    assert_eq!(story.chain.read(|| System::account_nonce(Alice.to_account_id())), 2);
    check_books(&mut story.chain);
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    RuntimeCall::Utility(pallet_utility::Call::batch { calls })
}

/// Attack: of calls that wrap others only the outcome of the wrapper counts, so that what had
/// failed inside is paid in the end beside what was paid in its stead, or that a batch holds
/// though nothing of it was paid.
#[test]
fn r19_3_a_batch_or_a_proxys_call_that_failed_inside_does_not_hold() {
    let (mut story, applied) = story_of(1, |chain| {
        let add = pallet_proxy::Call::<Runtime>::add_proxy {
            delegate: Eve.to_account_id().into(),
            proxy_type: ProxyType::Any,
            delay: 0,
        };
        let proxied = pallet_proxy::Call::<Runtime>::proxy {
            real: Alice.to_account_id().into(),
            force_proxy_type: None,
            call: Box::new(transfer(Ferdie, u128::MAX / 2)),
        };
        vec![
            chain.sign(One, 0, 0, transfer(Two, 6 * COIN)),
            // It was interrupted.
            chain.sign(Two, 0, 0, batch(vec![transfer(Eve, COIN), transfer(Eve, 1_000 * COIN)])),
            // It is now, without what One had paid.
            chain.sign(Two, 1, 0, batch(vec![transfer(Eve, COIN), transfer(Eve, 11 * COIN)])),
            chain.sign(Alice, 0, 0, batch(vec![transfer(Ferdie, COIN), transfer(Ferdie, COIN)])),
            chain.sign(Alice, 1, 0, RuntimeCall::Proxy(add)),
            // The proxy's call failed.
            chain.sign(Eve, 0, 0, RuntimeCall::Proxy(proxied)),
        ]
    });
    assert_eq!(applied, [Ok(Ok(())); 6], "none of these says so");
    let eve = balance(&mut genesis(1), Eve);
    story.agree();
    story.run();

    let last = story.chain.read(|| Recovery::recovery_overview().last).expect("it is over");
    assert_eq!((last.held, last.fell, last.abandoned), (2, 4, 0));
    let fell = story.chain.read(|| Recovery::fallen(0, 10));
    let fell: Vec<_> = fell.into_iter().map(|(_, fallen)| fallen).collect();
    assert_eq!(fell.iter().map(|one| one.place.index).collect::<Vec<_>>(), [0, 1, 2, 5]);
    assert_eq!(fell[0].fall, Fall::Refused(InvalidTransaction::Payment.into()));
    assert_eq!(fell[1].fall, Fall::PartlyFailed);
    assert!(matches!(fell[2].fall, Fall::Failed(_)), "{:?}", fell[2].fall);
    assert_eq!(fell[3].fall, Fall::PartlyFailed);
    // Of what fell nothing stays, not even a fee.
    assert_eq!(balance(&mut story.chain, Two), 10 * COIN);
    assert_eq!(balance(&mut story.chain, Eve), eve);
    assert_eq!(balance(&mut story.chain, Ferdie), balance(&mut genesis(1), Ferdie) + 2 * COIN);
    check_books(&mut story.chain);
    for old in story.users.clone() {
        assert_eq!(story.tried(old), Err(InvalidTransaction::Stale.into()));
    }
}

/// A recovery that runs and has done nothing yet.
fn begin(phase: Phase) {
    pallet_recovery::Running::<Runtime>::put(RecoveryRun {
        number: 1,
        since: Default::default(),
        common: start(),
        deficit: 1,
        begun_at: 1,
        phase,
        moved_at: 1,
        applied_before: 0,
        held: 0,
        fell: 0,
        abandoned: 0,
    });
}

#[test]
fn p20_an_offence_while_a_recovery_restores_costs_stake_when_it_is_called_off() {
    let mut chain = genesis(0);
    chain.read(|| {
        begin(Phase::Restoring { root: None, cursor: Cursor::default() });
        offend();
    });
    assert_eq!(stake_of(&mut chain, Bob), 100 * COIN, "what is half restored is not touched");
    chain.read(pallet_recovery::Running::<Runtime>::kill);
    chain.grow(vec![]);
    let stake = stake_of(&mut chain, Bob);
    assert!(stake > 0 && stake < 100 * COIN);
    chain.grow(vec![]);
    assert_eq!(stake_of(&mut chain, Bob), stake, "once");
}

/// Who could take stake out before would lose nothing.
#[test]
fn p20_users_wait_until_all_offences_are_punished() {
    let mut chain = genesis(0);
    chain.read(|| {
        begin(Phase::Restoring { root: None, cursor: Cursor::default() });
        (0..9).for_each(|_| offend());
        pallet_recovery::Running::<Runtime>::kill();
    });
    let payment = chain.sign(Eve, 0, 0, transfer(Ferdie, COIN));
    let (_, applied) = chain.grow(vec![payment.clone()]);
    assert_eq!(applied, [HALTED], "a block punishes eight");
    let of_eight = stake_of(&mut chain, Bob);
    assert!(of_eight > 0 && of_eight < 100 * COIN);
    let (_, applied) = chain.grow(vec![payment]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let of_all = stake_of(&mut chain, Bob);
    assert!(of_all > 0 && of_all < of_eight);
    chain.grow(vec![]);
    assert_eq!(stake_of(&mut chain, Bob), of_all, "once");
}

/// In the state that is gone back to it has no stake.
#[test]
fn p20_stake_that_was_bonded_since_pays_for_an_offence_of_since() {
    let mut story = story(1);
    story.chain.read(|| offend_of(Eve));
    let stake = stake_of(&mut story.chain, Eve);
    assert!(stake > 0 && stake < 50 * COIN);
    story.agree();
    story.run();
    assert_eq!(stake_of(&mut story.chain, Eve), stake);
    assert_eq!(stake_of(&mut story.chain, Bob), story.stake);
    check_books(&mut story.chain);
}

/// Nobody can void what he paid by doing something else before it is repeated.
#[test]
fn r19_3_nothing_that_users_sign_is_taken_while_a_recovery_runs_and_it_is_good_after() {
    let mut chain = genesis(0);
    chain.read(|| begin(Phase::L1Again));
    let empty = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![] });
    let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(remark) });
    let users = vec![
        chain.sign(Eve, 0, 0, transfer(Ferdie, COIN)),
        chain.sign(Eve, 0, 0, bond(COIN)),
        chain.sign(Eve, 0, COIN, empty),
        // Not even to an operator's pallet.
        chain.sign(Eve, 0, 0, sudo.clone()),
        chain.sign(Alice, 0, 0, sudo),
    ];
    let time = chain.time + 500;
    let (_, applied) = chain.build(time, users.clone());
    assert_eq!(applied, [HALTED, HALTED, HALTED, HALTED, Ok(Ok(()))]);
    chain.read(pallet_recovery::Running::<Runtime>::kill);
    let (_, applied) = chain.build(time, users);
    assert_eq!(applied[0], Ok(Ok(())), "it is good again");
}

/// Stakes are those of a past block, so who bonded since would lose its seat.
#[test]
fn r19_3_elections_rest_while_a_recovery_runs() {
    type Rest = <Runtime as pallet_sequencer_registry::Config>::ElectionsRest;
    let mut chain = genesis(0);
    chain.read(|| {
        assert!(!<Rest as Get<bool>>::get());
        begin(Phase::L1Again);
        assert!(<Rest as Get<bool>>::get());
    });
}

#[test]
fn r19_3_users_calls_are_refused_while_a_recovery_runs() {
    let mut chain = genesis(0);
    chain.read(|| {
        let force = RuntimeCall::Recovery(pallet_recovery::Call::force {});
        let public = [
            transfer(Eve, 1),
            RuntimeCall::Rewards(pallet_rewards::Call::claim {}),
            bond(1),
            RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![] }),
            RuntimeCall::Compensation(pallet_compensation::Call::claim { outage: 0 }),
        ];
        assert!(public.iter().all(NoPublicCallsInRecovery::contains));
        begin(Phase::L1Again);
        assert!(!public.iter().any(NoPublicCallsInRecovery::contains));
        assert!(NoPublicCallsInRecovery::contains(&force));
        let who = Eve.to_account_id();
        let authorised = pallet_compensation::Call::claim_for { outage: 0, account: who };
        assert!(NoPublicCallsInRecovery::contains(&RuntimeCall::Compensation(authorised)));
    });
}
