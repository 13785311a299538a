//! Who takes part, and how each behaves.

use crate::rules::Rules;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber},
    reputation::{
        rule::{self, Facts},
        Day, Score,
    },
};
use pallet_reputation::Standing;
use pallet_stake::Ledger;

/// The kinds, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Is there and does what it should.
    Honest,
    /// The same with a hundred times the stake.
    Whale,
    /// Is away in one of ten sessions.
    Lazy,
    /// Forty accounts of the least stake and score, all of one owner that says so.
    Declared,
    /// The same, of an owner that does not say so.
    Sybil,
    /// As honest, until all that have seats sign twice.
    Colluding,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Honest, Self::Whale, Self::Lazy, Self::Declared, Self::Sybil, Self::Colluding];

    /// As the table shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Whale => "whale",
            Self::Lazy => "lazy",
            Self::Declared => "swarm, declared",
            Self::Sybil => "swarm, hidden",
            Self::Colluding => "colluding",
        }
    }

    /// Sessions of 10,000 in which it is away.
    pub const fn away(self) -> u32 {
        match self {
            Self::Lazy => 1_000,
            _ => 1,
        }
    }

    /// How many there are, their coins and their scores on L1.
    fn population(self, rules: &Rules) -> (u16, Balance, u64) {
        match self {
            Self::Honest => (12, 1_000, 85),
            Self::Whale => (1, 100_000, 85),
            Self::Lazy | Self::Colluding => (4, 1_000, 85),
            Self::Declared | Self::Sybil => (40, 100, rules.chain.min_sequencer_score.into()),
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Agent {
    /// What it is.
    pub kind: Kind,
    /// Its account.
    pub account: AccountId,
    /// Who controls it, as it declares.
    pub entity: AccountId,
    /// Its stake, base units.
    pub ledger: Ledger,
    /// Its score on L1 and what it did wrong.
    pub standing: Standing,
    /// Whether it signed twice.
    pub barred: bool,
    /// The first epoch for which others vouch for it.
    pub attested_from: u32,
    /// The last height at which a settlement gives it half.
    pub penalised_until: BlockNumber,
    /// What it was paid, base units.
    pub income: Balance,
    /// What it lost of its stake, base units.
    pub slashed: Balance,
    /// Epochs for which it drew a seat.
    pub seats: u32,
    /// Terms that it led.
    pub terms: u32,
}

impl Agent {
    fn new(rules: &Rules, kind: Kind, number: u16) -> Self {
        let (_, coins, score) = kind.population(rules);
        let mut bytes = [kind as u8; 32];
        bytes[1..3].copy_from_slice(&number.to_be_bytes());
        let account = AccountId::new(bytes);
        let entity = match kind {
            Kind::Declared => AccountId::new([0xff; 32]),
            _ => account.clone(),
        };
        Self {
            kind,
            account,
            entity,
            ledger: Ledger { bonded: coins * rules.coin(), ..Ledger::default() },
            standing: Standing { l1: Score::saturating(score), ..Standing::default() },
            barred: false,
            attested_from: 0,
            penalised_until: 0,
            income: 0,
            slashed: 0,
            seats: 0,
            terms: 0,
        }
    }

    /// Its score on `day`. It does nothing on L2 but sequence, so L1 and what it did
    /// wrong are all that counts.
    pub fn score(&self, rules: &Rules, day: Day) -> Score {
        let facts = Facts {
            l1: self.standing.l1,
            penalty: self.standing.penalty_on(day),
            decimals: rules.chain.decimals,
            ..Facts::default()
        };
        rule::score(&facts).aggregated
    }

    /// Whether it stands in the draw for `epoch`.
    pub fn stands(&self, rules: &Rules, day: Day, epoch: u32) -> bool {
        !self.barred
            && self.score(rules, day).get() >= rules.chain.min_sequencer_score
            && self.ledger.bonded >= rules.chain.min_sequencer_stake
            && self.attested_from <= epoch
    }
}

/// Everybody, but for one of the two swarms: they are two variants of one attack.
pub fn population(rules: &Rules, without: Kind) -> Vec<Agent> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != without);
    let all = |kind: Kind| {
        (0..kind.population(rules).0).map(move |number| Agent::new(rules, kind, number))
    };
    kinds.flat_map(all).collect()
}
