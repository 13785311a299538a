//! One session: who leads, who is punished, who is paid.

use crate::{
    agents::{Agent, Kind},
    leaders::Led,
    offences::When,
    years::Simulation,
};
use cascoin_l2_primitives::{
    chain::{Balance, BlockNumber},
    rewards::Collected,
    sequencers::OffenceKind,
};
use pallet_rewards::{settlement, split::Parts};
use pallet_sequencer_registry::election;

/// Transfers of each block, at the minimum fee.
const TRANSFERS: Balance = 50;
/// Sessions that somebody still sequences in after the one in which it loses its seat:
/// the set changes at the second session end.
const NOTICE: u32 = 2;

/// A seat of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose: the place among the agents.
    pub place: usize,
    /// Its weight in the draw.
    pub weight: u64,
    /// Whether its holder is barred: it ranks last then until it is gone.
    pub barred: bool,
    /// The first session without it.
    pub leaves: Option<u32>,
}

impl Seat {
    /// One that was drawn.
    pub const fn drawn(place: usize, weight: u64) -> Self {
        Self { place, weight, barred: false, leaves: None }
    }

    /// Its holder loses it in `session`.
    fn lose(&mut self, session: u32) {
        self.leaves.get_or_insert(session + NOTICE);
    }
}

/// The weights of leaders and of what they share, as the registry tells them: cut to a
/// fifth of the set's.
pub fn weights(set: &[Seat]) -> Vec<u64> {
    let mut weights: Vec<u64> =
        set.iter().map(|seat| if seat.barred { 0 } else { seat.weight }).collect();
    election::cap(&mut weights);
    weights
}

impl Simulation {
    /// Holds the session that runs. If nobody is there, nothing happens in it.
    pub(crate) fn hold_session(&mut self) {
        let session = self.session;
        self.set.retain(|seat| seat.leaves.is_none_or(|leaves| session < leaves));
        let weights = weights(&self.set);
        let (agents, chance) = (&self.agents, &mut self.chance);
        let is_away = |seat: &Seat| chance.u32(0..10_000) < agents[seat.place].kind.away();
        let away: Vec<bool> = self.set.iter().map(is_away).collect();
        let Some(led) = Led::session(&self.rules, &self.genesis, session, &weights, &away) else {
            return;
        };
        self.betray();
        self.judge(&away, &led);
        self.settle(&weights, &away, &led);
    }

    /// The first height after the session, at which it is judged and settled.
    fn judged_at(&self) -> BlockNumber {
        (self.session + 1).saturating_mul(self.rules.chain.session_blocks).saturating_add(1)
    }

    /// From the day of the betrayal on, in the middle of the first epoch in which several
    /// colluding ones have seats: all of these sign twice in one session.
    fn betray(&mut self) {
        let epoch = self.rules.chain.epoch_sessions;
        let agents = &self.agents;
        let colludes = |seat: &Seat| agents[seat.place].kind == Kind::Colluding;
        let several = self.set.iter().filter(|seat| colludes(seat)).count() > 1;
        let is_time = self.day() >= self.plan.betrayal && self.session % epoch == epoch / 2;
        if self.betrayed || !several || !is_time {
            return;
        }
        self.betrayed = true;
        // Proven before the session is over.
        let when = When { day: self.day(), height: self.judged_at() - 1 };
        for seat in &mut self.set {
            let agent = &mut self.agents[seat.place];
            if agent.kind == Kind::Colluding {
                let kind = OffenceKind::DoubleSign;
                agent.commit(&self.rules, kind, true, when, &mut self.books);
                seat.barred = true;
                seat.lose(self.session);
            }
        }
    }

    /// Punishes who was away: the chain learns it with the first block of the next
    /// session.
    fn judge(&mut self, away: &[bool], led: &Led) {
        let when = When { day: self.day(), height: self.judged_at() };
        let next = self.session + 1;
        for (number, seat) in self.set.iter_mut().enumerate() {
            let agent = &mut self.agents[seat.place];
            let offences =
                [(led.in_vain[number], OffenceKind::Timeout), (away[number], OffenceKind::Offline)];
            for (_, kind) in offences.into_iter().filter(|(did, _)| *did) {
                agent.commit(&self.rules, kind, false, when, &mut self.books);
            }
            if away[number] {
                seat.lose(next);
                // An assumption: by the next draw after that, others vouch for it again.
                agent.attested_from = next / self.rules.chain.epoch_sessions + 1;
            }
        }
    }

    /// Pays for the session, as the rewards pallet does.
    fn settle(&mut self, weights: &[u64], away: &[bool], led: &Led) {
        let height = self.judged_at();
        let Parts { producer, others, burned } =
            Parts::of(TRANSFERS * self.rules.chain.min_fee, self.rules.chain.fee_split);
        let base_fees = producer + others + burned;
        let standing = |(number, seat): (usize, &Seat)| {
            let blocks = Balance::from(led.blocks[number]);
            settlement::Standing {
                weight: weights[number],
                collected: Collected {
                    blocks: led.blocks[number],
                    base_fees: blocks * base_fees,
                    tips: 0,
                    producer_part: blocks * producer,
                    others_part: blocks * others,
                },
                uptime_permille: if away[number] { 0 } else { 1_000 },
                penalised: self.agents[seat.place].penalised_until >= height,
            }
        };
        let standings: Vec<_> = self.set.iter().enumerate().map(standing).collect();
        let outcome = settlement::settle(&standings, self.books.bonus_pool);
        let blocks: Balance = led.blocks.iter().map(|blocks| Balance::from(*blocks)).sum();
        self.books.fees += blocks * base_fees;
        self.books.burned += blocks * burned;
        self.books.withheld += outcome.withheld;
        self.books.bonus_pool = outcome.bonus_pool;
        for ((seat, reward), terms) in self.set.iter().zip(&outcome.rewards).zip(&led.terms) {
            let agent: &mut Agent = &mut self.agents[seat.place];
            agent.income += reward.amount;
            agent.terms += terms;
            self.books.paid += reward.amount;
        }
    }
}
