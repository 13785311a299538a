//! Seats, earnings and losses of sequencers over months.

use crate::{
    agents::{population, Agent, Kind},
    books::Books,
    rules::Rules,
    session::Seat,
};
use cascoin_l2_primitives::{chain::AccountId, reputation::Day};
use pallet_sequencer_registry::{
    candidates::Contender,
    election::{elect, order, weigh},
};

/// Days of a point of the chart.
const WEEK: u32 = 7;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How long.
    pub days: u32,
    /// The day from which on the colluding ones wait for their chance.
    pub betrayal: u32,
}

/// Seats over time: for each kind, the days and the mean of the week before.
pub type SeatsOverTime = Vec<(Kind, Vec<(f64, f64)>)>;

/// A chain with its sequencers, a session at a time.
pub struct Simulation {
    pub(crate) rules: Rules,
    pub(crate) plan: Plan,
    pub(crate) agents: Vec<Agent>,
    pub(crate) chance: fastrand::Rng,
    /// What leaders are drawn from.
    pub(crate) genesis: [u8; 32],
    /// The session that runs.
    pub(crate) session: u32,
    /// Who has a seat.
    pub(crate) set: Vec<Seat>,
    pub(crate) betrayed: bool,
    pub(crate) books: Books,
    seats: SeatsOverTime,
    week: Vec<u32>,
}

/// What came of it.
pub struct Outcome {
    /// Everybody.
    pub agents: Vec<Agent>,
    /// The money.
    pub books: Books,
    /// The seats.
    pub seats: SeatsOverTime,
}

impl Simulation {
    /// A chain that begins, with all sequencers but those of one kind.
    pub fn new(rules: &Rules, plan: Plan, without: Kind) -> Self {
        let mut chance = fastrand::Rng::with_seed(plan.seed);
        let mut genesis = [0; 32];
        chance.fill(&mut genesis);
        Self {
            rules: rules.clone(),
            plan,
            agents: population(rules, without),
            chance,
            genesis,
            session: 0,
            set: Vec::new(),
            betrayed: false,
            books: Books::default(),
            seats: Kind::ALL.into_iter().map(|kind| (kind, Vec::new())).collect(),
            week: vec![0; Kind::ALL.len()],
        }
    }

    /// All of it.
    pub fn run(mut self) -> Outcome {
        while self.day() < self.plan.days {
            self.step();
        }
        Outcome { agents: self.agents, books: self.books, seats: self.seats }
    }

    /// One session. Where an epoch begins, seats are drawn first.
    pub fn step(&mut self) {
        if self.session % self.rules.chain.epoch_sessions == 0 {
            self.draw_seats();
        }
        self.hold_session();
        self.session += 1;
        if self.session % (WEEK * self.rules.sessions_a_day()) == 0 {
            self.note_week();
        }
    }

    pub(crate) fn day(&self) -> Day {
        self.session / self.rules.sessions_a_day()
    }

    /// On chain this takes half an hour more, and the set follows in steps; here it is
    /// done at once.
    fn draw_seats(&mut self) {
        let (rules, day) = (&self.rules, self.day());
        let epoch = self.session / rules.chain.epoch_sessions;
        let standing = self.agents.iter().filter(|agent| agent.stands(rules, day, epoch));
        let contenders = standing.map(|agent| Contender {
            account: agent.account.clone(),
            entity: agent.entity.clone(),
            score: agent.score(rules, day),
            stake: agent.ledger.bonded,
        });
        let standing = weigh(contenders.collect(), rules.chain.decimals);
        let mut seed = [0; 32];
        self.chance.fill(&mut seed);
        let place =
            |account: &AccountId| self.agents.iter().position(|agent| agent.account == *account);
        let drawn: Vec<_> = order(&seed, &standing)
            .into_iter()
            .filter_map(|one| Some((self.agents[place(&one.account)?].entity.clone(), one)))
            .collect();
        let elected = elect(&drawn, rules.chain.max_sequencers as usize, &[]);
        let seats = elected.into_iter();
        self.set = seats
            .filter_map(|(account, weight)| Some(Seat::drawn(place(&account)?, weight)))
            .collect();
        for seat in &self.set {
            let agent = &mut self.agents[seat.place];
            agent.seats += 1;
            self.week[agent.kind as usize] += 1;
        }
    }

    fn note_week(&mut self) {
        let (day, epochs) = (f64::from(self.day()), f64::from(WEEK * self.rules.epochs_a_day()));
        for ((_, points), seats) in self.seats.iter_mut().zip(&mut self.week) {
            points.push((day, f64::from(std::mem::take(seats)) / epochs));
        }
    }
}
