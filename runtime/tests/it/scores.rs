//! L1's score of an account: what it keeps locked on L1, when its address acted there, and
//! what sequencers' L1 nodes say, through the whole runtime (R10.1).

use crate::{
    chain::{preset, undone, Chain},
    relay::TIP_TIME,
    stake::apply,
    trust::eves_wallet,
};
use cascoin_l2_primitives::{
    l1::{L1Hash, OutPoint},
    relay::L1Event,
    reputation::{
        attestation::{score_message, L1Scores, ScoreVote},
        l1_history::{day_of, L1History},
        l1_stake::{StakeTerm, MIN_TERM_BLOCKS},
        rule::Breakdown,
        Score, MS_PER_DAY,
    },
    sequencers::SequencerSetProvider,
};
use cascoin_l2_runtime::{
    Reputation, Runtime, ScoreAttestation, SequencerRegistry, System, UncheckedExtrinsic,
};
use pallet_reputation::Standings;
use sp_core::{ed25519, Pair, H160};
use sp_keyring::Sr25519Keyring::Eve;

/// A sequencer's vote on the one address of the round.
fn vote(chain: &mut Chain, signer: u16, seed: &str, points: u64) -> UncheckedExtrinsic {
    chain.read(|| {
        let scores = L1Scores::truncate_from(vec![Some(Score::saturating(points))]);
        let set_id = <SequencerRegistry as SequencerSetProvider>::set_id();
        let round = ScoreAttestation::score_round().number;
        let message = score_message(&System::block_hash(0), set_id, round, &scores);
        let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
        ScoreAttestation::vote_extrinsic(ScoreVote { set_id, round, signer, scores, signature })
    })
}

#[test]
fn r10_1_locks_and_acts_on_l1_stand_with_the_account() {
    let parameters = preset("regtest").chain_parameters.parameters;
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (address, link) = eves_wallet(&mut chain);
    let link = chain.sign(Eve, 0, 0, link);
    assert_eq!(chain.grow(vec![link]).1, [Ok(Ok(()))]);
    let height = parameters.l1_start.height + 1;
    // All but one of ten thousand coins.
    let value = 999_900_000_000;
    let lock = |tx, unlock| L1Event::Stake {
        outpoint: OutPoint { txid: L1Hash([tx; 32]), vout: 1 },
        chain_id: parameters.chain_id,
        account: Eve.to_account_id(),
        owner: H160([9; 20]),
        value,
        unlock,
    };
    let events = vec![
        lock(1, height + MIN_TERM_BLOCKS),
        lock(2, height + MIN_TERM_BLOCKS - 1),
        // For another layer 2: that Eve's key signed it counts all the same.
        L1Event::KeyRevocation { chain_id: 77, signer: address, account: Eve.to_account_id() },
    ];
    apply(&mut chain, 1, events);
    let day = day_of(TIP_TIME - 900);
    let standing = chain.read(|| Standings::<Runtime>::get(Eve.to_account_id()));
    let standing = standing.expect("there is much to say of Eve");
    assert_eq!(standing.stake[..], [StakeTerm { since: day, amount: value }]);
    let history = L1History { first_day: day, last_day: day, months: 1, has_gap: false };
    assert_eq!(standing.history, history);

    // What comes of it as days go by.
    let mut parts_after = |days: u32| {
        chain.read(|| {
            undone(|| {
                pallet_timestamp::Now::<Runtime>::put(u64::from(day + days) * MS_PER_DAY);
                let Breakdown { l1, l1_economic, l1_temporal, .. } =
                    Reputation::breakdown(&Eve.to_account_id());
                (l1_economic.get(), l1_temporal.get(), l1.get())
            })
        })
    };
    assert_eq!(parts_after(0), (0, 0, 0));
    // √(29 of 365 days), and 29 of 730 days in the one month that there was: 20 % and 10 %.
    assert_eq!(parts_after(29), (28, 3, 5));
    // The act is long past.
    assert_eq!(parts_after(365), (100, 0, 20));
}

#[test]
fn r10_1_what_sequencers_l1_nodes_say_bounds_the_score() {
    let mut genesis = preset("regtest");
    let parameters = &genesis.chain_parameters.parameters;
    let epoch = parameters.session_blocks * parameters.epoch_sessions;
    let (address, _) = eves_wallet(&mut Chain::of("regtest"));
    genesis.reputation.trust_seeds = vec![address];
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let (_, link) = eves_wallet(&mut chain);
    let link = chain.sign(Eve, 0, 0, link);
    assert_eq!(chain.grow(vec![link]).1, [Ok(Ok(()))]);
    let l1 = |chain: &mut Chain| {
        let breakdown = chain.read(|| Reputation::breakdown(&Eve.to_account_id()));
        (breakdown.l1.get(), breakdown.attested.map(Score::get))
    };
    let grow_to = |chain: &mut Chain, number| {
        while chain.head.number < number {
            chain.grow(vec![]);
        }
    };
    grow_to(&mut chain, epoch + 1);
    assert_eq!(l1(&mut chain), (30, None), "it is a seed");
    let round = chain.read(ScoreAttestation::score_round);
    assert_eq!((round.number, &round.addresses[..]), (2, &[address][..]));

    let forged = vote(&mut chain, 3, "//Eve", 0);
    let votes: Vec<_> = [("//Alice", 12), ("//Bob", 100), ("//Charlie", 3)]
        .into_iter()
        .zip(0..)
        .map(|((seed, points), signer)| vote(&mut chain, signer, seed, points))
        .collect();
    let (_, applied) = chain.grow([&votes[..2], &[forged]].concat());
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(applied[2].is_err(), "{applied:?}");
    let (_, applied) = chain.grow(vec![votes[2].clone(), votes[0].clone()]);
    assert_eq!(applied[0], Ok(Ok(())));
    assert!(applied[1].is_err(), "it has voted");
    assert_eq!(l1(&mut chain), (30, None), "it is counted when the round ends");
    grow_to(&mut chain, 2 * epoch + 1);
    assert_eq!(l1(&mut chain), (12, Some(12)));
    // The next round brings nothing, and what was attested holds on.
    grow_to(&mut chain, 3 * epoch + 1);
    assert_eq!(l1(&mut chain), (12, Some(12)));
}
