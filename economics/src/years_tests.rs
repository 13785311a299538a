//! Seats and money over some days.

use crate::{
    agents::Kind,
    report::Report,
    rules::Rules,
    session::weights,
    years::{Plan, Simulation},
};
use cascoin_l2_primitives::chain::Balance;
use pallet_sequencer_registry::election::seats_per_entity;
use std::collections::BTreeMap;

const PLAN: Plan = Plan { seed: 5, days: 2, betrayal: 1 };

fn simulation(plan: Plan, without: Kind) -> Simulation {
    Simulation::new(&Rules::mainnet(), plan, without)
}

/// Seats that each kind has now.
fn seats_of(simulation: &Simulation, kind: Kind) -> usize {
    simulation.set.iter().filter(|seat| simulation.agents[seat.place].kind == kind).count()
}

#[test]
fn everything_follows_from_the_seed() {
    let rules = Rules::mainnet();
    let tables = |seed| Report::of(&rules, Plan { seed, days: 1, betrayal: 0 }).tables();
    assert_eq!(tables(1), tables(1));
    assert_ne!(tables(1), tables(2));
}

#[test]
fn no_coin_is_made_or_lost() {
    for without in [Kind::Declared, Kind::Sybil] {
        let before = simulation(PLAN, without);
        let stake = |agents: &[crate::agents::Agent]| -> Balance {
            agents.iter().map(|agent| agent.ledger.bonded).sum()
        };
        let staked = stake(&before.agents);
        let outcome = before.run();
        let books = outcome.books;
        assert_eq!(books.fees, books.paid + books.burned + books.withheld + books.bonus_pool);
        let income: Balance = outcome.agents.iter().map(|agent| agent.income).sum();
        assert_eq!(books.paid, income);
        let taken = books.to_fund + books.stake_burned;
        assert_eq!(staked, stake(&outcome.agents) + taken);
        // Blocks with room for users, 50 transfers in each, at 100 units.
        assert_eq!(books.fees, 2 * 288 * 599 * 50 * 100);
        assert!(books.withheld > 0 && books.to_fund > 0 && books.stake_burned > 0, "{books:?}");
    }
}

#[test]
fn seats_never_exceed_the_cap_nor_one_owners_its_share() {
    let rules = Rules::mainnet();
    let most = rules.chain.max_sequencers as usize;
    let mut hidden_most = 0;
    for without in [Kind::Declared, Kind::Sybil] {
        let mut simulation = simulation(PLAN, without);
        for session in 0..PLAN.days * rules.sessions_a_day() {
            simulation.step();
            assert!(!simulation.set.is_empty() && simulation.set.len() <= most);
            if session % rules.chain.epoch_sessions != 0 {
                continue;
            }
            let mut seats = BTreeMap::new();
            for seat in &simulation.set {
                *seats.entry(&simulation.agents[seat.place].entity).or_insert(0) += 1;
            }
            let largest = seats.into_values().max();
            assert!(largest <= Some(seats_per_entity(simulation.set.len())), "{largest:?}");
            hidden_most = hidden_most.max(seats_of(&simulation, Kind::Sybil));
        }
    }
    // The cap is what holds the declared ones back.
    assert!(hidden_most > seats_per_entity(most), "{hidden_most}");
}

#[test]
fn who_signs_twice_is_gone_at_the_second_session_end_and_halved_until_then() {
    let plan = Plan { betrayal: 0, ..PLAN };
    let mut simulation = simulation(plan, Kind::Declared);
    let mut twin = self::simulation(Plan { betrayal: u32::MAX, ..plan }, Kind::Declared);
    let incomes = |one: &Simulation| -> Vec<Balance> {
        one.agents.iter().map(|agent| agent.income).collect()
    };
    let mut before = incomes(&simulation);
    while !simulation.betrayed {
        before = incomes(&simulation);
        simulation.step();
        twin.step();
    }
    let guilty: Vec<usize> =
        (0..simulation.agents.len()).filter(|place| simulation.agents[*place].barred).collect();
    assert!(guilty.len() > 1);
    for place in &guilty {
        let agent = &simulation.agents[*place];
        assert_eq!((agent.kind, agent.ledger.bonded), (Kind::Colluding, 0));
        let full = twin.agents[*place].income - before[*place];
        assert!(full > 1);
        assert_eq!(agent.income - before[*place], full - full / 2);
    }

    // In the next session they are there, and lead nothing.
    let terms = |one: &Simulation| -> u32 { guilty.iter().map(|n| one.agents[*n].terms).sum() };
    let led = terms(&simulation);
    simulation.step();
    assert_eq!(seats_of(&simulation, Kind::Colluding), guilty.len());
    assert_eq!(terms(&simulation), led);
    let of_guilty = |(seat, weight): (&crate::session::Seat, u64)| {
        (weight == 0) == guilty.contains(&seat.place)
    };
    assert!(simulation.set.iter().zip(weights(&simulation.set)).all(of_guilty));

    // After that they are not, and never again.
    for _ in 0..100 {
        simulation.step();
        assert!(simulation.set.iter().all(|seat| !guilty.contains(&seat.place)));
    }
}

#[test]
fn who_is_away_loses_a_thousandth_and_its_seat_two_sessions_later() {
    let mut simulation = simulation(PLAN, Kind::Declared);
    let first = loop {
        simulation.step();
        let gone = simulation.set.iter().find(|seat| seat.leaves.is_some());
        if let Some(seat) = gone {
            break *seat;
        }
    };
    let missed = simulation.session - 1;
    assert_eq!(first.leaves, Some(missed + 3), "told of in the next one, gone two later");
    let agent = &simulation.agents[first.place];
    assert_eq!(agent.slashed * 1_000, agent.slashed + agent.ledger.bonded);
    let epoch = simulation.rules.chain.epoch_sessions;
    assert_eq!(agent.attested_from, (missed + 1) / epoch + 1);
    assert!(agent.penalised_until > simulation.rules.blocks_a_day());
}
