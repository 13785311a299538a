//! What is repeated by hand is what the pallets of the real runtime do.

use crate::{
    agents::{population, Agent, Kind},
    books::Books,
    offences::When,
    rules::Rules,
};
use cascoin_l2_primitives::{
    chain::Balance,
    sequencers::{Offence, OffenceKind, OnOffence, StakeProvider},
};
use cascoin_l2_runtime::{
    Balances, BalancesConfig, ChainParametersConfig, Rewards, RuntimeOrigin, Stake, System,
};
use frame_support::traits::fungible::Inspect;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, Storage};

const KINDS: [OffenceKind; 7] = [
    OffenceKind::DoubleSign,
    OffenceKind::TimestampManipulation,
    OffenceKind::Offline,
    OffenceKind::Timeout,
    OffenceKind::Censorship,
    OffenceKind::RepeatedCensorship,
    OffenceKind::Withholding,
];
const HEIGHT: u32 = 4_321;

/// Two agents with so many base units at stake.
fn two(rules: &Rules, stake: Balance) -> [Agent; 2] {
    let mut agents = population(rules, Kind::Declared).into_iter();
    [(); 2].map(|()| {
        let mut agent = agents.next().expect("there are more");
        agent.ledger.bonded = stake;
        agent
    })
}

/// The state of a chain on which these have bonded what they have.
fn chain(rules: &Rules, agents: &[Agent]) -> TestExternalities {
    let balances =
        agents.iter().map(|agent| (agent.account.clone(), 2 * agent.ledger.bonded)).collect();
    let mut storage = Storage::default();
    let parameters =
        ChainParametersConfig { parameters: rules.chain.clone(), ..Default::default() };
    parameters.assimilate_storage(&mut storage).expect("the table is written");
    let balances = BalancesConfig { balances, ..Default::default() };
    balances.assimilate_storage(&mut storage).expect("the balances are written");
    let mut chain = TestExternalities::new(storage);
    chain.execute_with(|| {
        System::set_block_number(HEIGHT);
        for agent in agents {
            let origin = RuntimeOrigin::signed(agent.account.clone());
            Stake::bond(origin, agent.ledger.bonded).expect("it has the coins");
        }
    });
    chain
}

fn offence(agent: &Agent, kind: OffenceKind) -> Offence {
    Offence { kind, offender: agent.account.clone(), set_id: 3, height: HEIGHT }
}

fn commit(rules: &Rules, agent: &mut Agent, kind: OffenceKind, together: bool) -> Books {
    let mut books = Books::default();
    agent.commit(rules, kind, together, When { day: 9, height: HEIGHT }, &mut books);
    books
}

#[test]
fn an_offence_takes_what_the_pallets_take() {
    let rules = Rules::mainnet();
    // Below the least stake, at it, above it, and nothing even.
    for stake in [49, 100, 101, 100_000].map(|coins| coins * rules.coin() + 7) {
        for kind in KINDS {
            let [mut agent, _] = two(&rules, stake);
            chain(&rules, &[agent.clone()]).execute_with(|| {
                Stake::on_offence(&offence(&agent, kind));
                Rewards::on_offence(&offence(&agent, kind));
                let books = commit(&rules, &mut agent, kind, false);
                assert_eq!(agent.ledger.bonded, Stake::stake(&agent.account), "{kind:?}");
                assert_eq!(agent.slashed, stake - agent.ledger.bonded);
                assert_eq!(books.to_fund, Balances::balance(&Stake::fund()));
                assert_eq!(books.to_fund + books.stake_burned, agent.slashed);
                let report = Rewards::rewards(Some(agent.account.clone()));
                assert_eq!(report.sequencers[0].penalised_until, Some(agent.penalised_until));
            });
        }
    }
}

#[test]
fn of_two_that_sign_twice_together_everything_is_taken() {
    let rules = Rules::mainnet();
    let mut agents = two(&rules, 1_000 * rules.coin());
    chain(&rules, &agents).execute_with(|| {
        for agent in &agents {
            Stake::on_offence(&offence(agent, OffenceKind::DoubleSign));
        }
        for agent in &mut agents {
            commit(&rules, agent, OffenceKind::DoubleSign, true);
            assert_eq!((agent.ledger.bonded, Stake::stake(&agent.account)), (0, 0));
            assert!(agent.barred);
            assert_eq!(agent.score(&rules, 9).get(), 0);
        }
    });
    // The premise: alone it is not everything.
    let [mut alone, _] = two(&rules, 1_000 * rules.coin());
    commit(&rules, &mut alone, OffenceKind::DoubleSign, false);
    assert_eq!(alone.ledger.bonded, 500 * rules.coin());
}
