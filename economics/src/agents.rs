//! Who takes part, and how each behaves.

use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::Score,
};
use pallet_reputation::Standing;
use pallet_stake::Ledger;

/// Base units of a coin.
pub const COIN: Balance = 10_000_000;

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
    /// As honest, until on one day all that have seats sign twice.
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
    const fn population(self) -> (u16, Balance, u64) {
        match self {
            Self::Honest => (12, 1_000, 85),
            Self::Whale => (1, 100_000, 85),
            Self::Lazy => (4, 1_000, 85),
            Self::Declared | Self::Sybil => (40, 100, 70),
            Self::Colluding => (4, 1_000, 85),
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
    /// Its stake.
    pub ledger: Ledger,
    /// Its score on L1 and what it did wrong.
    pub standing: Standing,
    /// Whether it signed twice.
    pub barred: bool,
    /// The first epoch for which others vouch for it.
    pub attested_from: u32,
    /// The last epoch in which its rewards are halved.
    pub halved_until: u32,
    /// What it was paid.
    pub income: Balance,
    /// What it lost of its stake.
    pub slashed: Balance,
    /// Epochs in which it had a seat.
    pub seats: u32,
}

impl Agent {
    fn new(kind: Kind, number: u16) -> Self {
        let (_, coins, score) = kind.population();
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
            ledger: Ledger { bonded: coins * COIN, ..Ledger::default() },
            standing: Standing { l1: Score::saturating(score), ..Standing::default() },
            barred: false,
            attested_from: 0,
            halved_until: 0,
            income: 0,
            slashed: 0,
            seats: 0,
        }
    }
}

/// Everybody, but for one of the two swarms: they are two variants of one attack.
pub fn population(without: Kind) -> Vec<Agent> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != without);
    kinds
        .flat_map(|kind| (0..kind.population().0).map(move |number| Agent::new(kind, number)))
        .collect()
}
