//! What chance, outages and liars can bring about, simulated; the same each time.

use crate::{
    correlation::{Absences, Beginnings, MIN_TOGETHER},
    types::{TermRecord, MAX_RECORDS, WINDOW_TERMS},
};
use cascoin_l2_primitives::{chain::quorum, sequencers::SequencerBits};
use proptest::prelude::*;

/// SplitMix64: small, and the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// True so many times of 10,000.
    fn of_10_000(&mut self, times: u64) -> bool {
        self.next() % 10_000 < times
    }
}

/// A set, and how it behaves.
struct Network {
    members: usize,
    /// Of 10,000 terms, in how many one that is there goes away.
    goes: u64,
    /// Of 10,000 terms, in how many one that is away comes back.
    returns: u64,
}

impl Network {
    fn faulty(&self) -> usize {
        self.members - quorum(self.members)
    }

    /// A window of terms, or fewer if that fills the records. `event` says who else goes
    /// away in a term; `liar` makes of what a leader saw what it says.
    fn window(
        &self,
        chance: &mut Chance,
        mut event: impl FnMut(&mut Chance) -> Vec<usize>,
        mut liar: impl FnMut(usize, u32, SequencerBits) -> SequencerBits,
    ) -> Absences {
        let mut away = vec![false; self.members];
        let mut before = SequencerBits::NOBODY;
        let mut absences = Absences::default();
        while absences.terms < WINDOW_TERMS && absences.records.len() < MAX_RECORDS as usize {
            let term = absences.terms;
            absences.terms += 1;
            for one in away.iter_mut() {
                let changes = if *one { self.returns } else { self.goes };
                *one ^= chance.of_10_000(changes);
            }
            for index in event(chance) {
                away[index] = true;
            }
            // Without a quorum there is no block: some come back first.
            while away.iter().filter(|one| **one).count() > self.faulty() {
                away[chance.below(self.members)] = false;
            }
            let there: Vec<_> = (0..self.members).filter(|index| !away[*index]).collect();
            let leader = there[chance.below(there.len())];
            let missing = (0..self.members as u16).filter(|index| away[usize::from(*index)]);
            let said = liar(leader, term, missing.collect());
            let began = SequencerBits(said.0 & !before.0);
            before = said;
            if began != SequencerBits::NOBODY {
                absences.records.push(TermRecord { term, leader: leader as u8, began });
            }
        }
        absences
    }

    fn honest(&self, chance: &mut Chance) -> Absences {
        self.window(chance, |_| vec![], |_, _, seen| seen)
    }

    fn found(&self, records: &Absences, one: usize, other: usize) -> bool {
        Beginnings::of(records, one as u16, other as u16, self.members).are_correlated()
    }

    /// Pairs that are found, and all pairs.
    fn pairs(&self, records: &Absences) -> (usize, usize) {
        let pairs = (0..self.members).flat_map(|one| (0..one).map(move |other| (one, other)));
        let found = pairs.map(|(one, other)| self.found(records, one, other));
        let found: Vec<_> = found.collect();
        (found.iter().filter(|found| **found).count(), found.len())
    }
}

/// How often an honest sequencer goes away, of 10,000 terms: from hardly ever to every
/// third term.
const RATES: [u64; 6] = [5, 30, 100, 400, 1_500, 3_000];

/// Not one of more than 120,000 pairs: with 95 % confidence fewer than 1 of 40,000 pairs
/// in a window.
#[test]
fn r22_1_independent_sequencers_are_not_found_to_be_correlated() {
    let mut chance = Chance(1);
    let (mut found, mut all) = (0, 0);
    for (members, windows) in [(7, 50), (21, 40), (64, 6)] {
        for goes in RATES {
            let network = Network { members, goes, returns: 3_000 };
            for _ in 0..windows {
                let (some, pairs) = network.pairs(&network.honest(&mut chance));
                found += some;
                all += pairs;
            }
        }
    }
    assert!(all > 120_000, "{all}");
    assert_eq!(found, 0, "of {all}");
}

/// Whole networks that stutter: as many as a quorum allows go away at once, others each
/// time, or always the same third of the world.
#[test]
fn r22_1_an_outage_that_hits_all_is_no_collusion() {
    let mut chance = Chance(2);
    for goes in RATES {
        let network = Network { members: 21, goes, returns: 5_000 };
        for _ in 0..20 {
            let anybody = |chance: &mut Chance| match chance.of_10_000(500) {
                true => (0..21).filter(|_| chance.of_10_000(3_000)).collect(),
                false => vec![],
            };
            let records = network.window(&mut chance, anybody, |_, _, seen| seen);
            assert_eq!(network.pairs(&records).0, 0);
        }
    }
    let steady = Network { members: 21, goes: 5, returns: 5_000 };
    for _ in 0..20 {
        let region = |chance: &mut Chance| match chance.of_10_000(300) {
            true => (0..6).collect(),
            false => vec![],
        };
        let records = steady.window(&mut chance, region, |_, _, seen| seen);
        assert_eq!(steady.pairs(&records).0, 0);
    }
}

/// Two that share a machine which fails about 52 times in the window, every three and a
/// half hours on mainnet, and each of which fails alone 13 times besides.
#[test]
fn r22_1_two_that_fail_together_are_found_and_nobody_else() {
    let mut chance = Chance(3);
    let mut found = 0;
    for _ in 0..50 {
        let network = Network { members: 21, goes: 1, returns: 5_000 };
        let machine = |chance: &mut Chance| match chance.of_10_000(4) {
            true => vec![4, 11],
            false => vec![],
        };
        let records = network.window(&mut chance, machine, |_, _, seen| seen);
        found += usize::from(network.found(&records, 4, 11));
        let expected = usize::from(network.found(&records, 4, 11));
        assert_eq!(network.pairs(&records).0, expected, "somebody else");
    }
    assert!(found >= 45, "{found} of 50");
}

/// A third of the leaders, rounded down, says in all of its terms that two honest ones are
/// missing, whenever that counts as a beginning.
#[test]
fn r22_1_lying_leaders_cannot_have_two_others_found() {
    let mut chance = Chance(4);
    for members in [7, 10, 21, 64] {
        for goes in [5, 30, 100] {
            let network = Network { members, goes, returns: 3_000 };
            let faulty = network.faulty();
            let victims = (members - 1, members - 2);
            let both = SequencerBits::NOBODY.with(victims.0 as u16).with(victims.1 as u16);
            for _ in 0..20 {
                let liar = |leader: usize, _: u32, seen: SequencerBits| match leader < faulty {
                    true => SequencerBits(seen.0 | both.0),
                    false => seen,
                };
                let records = network.window(&mut chance, |_| vec![], liar);
                assert!(!network.found(&records, victims.0, victims.1), "{members}");
            }
        }
    }
    // The premise: without the rule about leaders they would succeed.
    let network = Network { members: 21, goes: 5, returns: 3_000 };
    let both = SequencerBits::NOBODY.with(20).with(19);
    let majority = |leader: usize, _: u32, seen: SequencerBits| match leader < 15 {
        true if leader % 2 == 0 => SequencerBits(seen.0 | both.0),
        _ => seen,
    };
    let records = network.window(&mut chance, |_| vec![], majority);
    assert!(network.found(&records, 20, 19), "eight liars are more than a third");
}

#[test]
fn r22_1_a_few_times_together_prove_nothing() {
    let of = |together| Beginnings { terms: 1_000, first: together, second: together, together };
    assert!(!of(MIN_TOGETHER - 1).are_correlated());
    assert!(of(MIN_TOGETHER).are_correlated());
    assert!(!Beginnings { terms: 9, first: 9, second: 9, together: 9 }.are_correlated());
    assert!(!Beginnings::default().are_correlated());
}

/// What the two themselves say of each other does not count, nor what a leader said that
/// is gone.
#[test]
fn only_others_of_the_set_are_heard() {
    let both = SequencerBits(0b11);
    let record = |term, leader, began| TermRecord { term, leader, began };
    let leaders = [0, 1, u8::MAX, 64];
    let records = (0..200).map(|term| record(term, leaders[term as usize % 4], both)).collect();
    // Of seven leaders two may be faulty and two are named: three are heard.
    let heard = Beginnings::of(&Absences { terms: 700, records }, 0, 1, 7);
    assert_eq!(heard, Beginnings { terms: 300, ..Default::default() });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// R22.1: the integers say what the formula says.
    #[test]
    fn r22_1_the_threshold_is_a_phi_of_one_half(
        neither in 0u32..1_000,
        alone in (0u32..40, 0u32..40),
        together in 0u32..60,
    ) {
        let (first, second) = (together + alone.0, together + alone.1);
        let terms = neither + alone.0 + alone.1 + together;
        let counts = Beginnings { terms, first, second, together };
        let [n, a, b, ab] = [terms, first, second, together].map(f64::from);
        let phi = (n * ab - a * b) / (a * (n - a) * b * (n - b)).sqrt();
        // Not a number where one of them always or never began.
        prop_assume!(phi.is_nan() || (phi - 0.5).abs() > 1e-9);
        prop_assert_eq!(counts.are_correlated(), together >= MIN_TOGETHER && phi > 0.5);
    }

    /// Whatever stands in the records, nothing is counted twice, and who is named first
    /// is nothing.
    #[test]
    fn counts_are_within_each_other(
        records in prop::collection::vec((any::<u8>(), any::<u64>()), 0..300),
        sparse: bool,
        pair in (0u16..70, 0u16..70),
        members in 0usize..=64,
    ) {
        let records: Vec<_> = records
            .into_iter()
            .zip(0..)
            .map(|((leader, bits), term)| TermRecord {
                term,
                leader: leader % 70,
                began: SequencerBits(if sparse { bits & bits << 7 & bits >> 9 } else { bits }),
            })
            .collect();
        let absences = Absences { terms: 1_000, records };
        let counts = Beginnings::of(&absences, pair.0, pair.1, members);
        prop_assert!(counts.together <= counts.first.min(counts.second));
        prop_assert!(counts.first.max(counts.second) as usize <= absences.records.len());
        prop_assert!(counts.terms <= absences.terms);
        prop_assert!(counts.together < MIN_TOGETHER || counts.terms > 0);
        let swapped = Beginnings::of(&absences, pair.1, pair.0, members);
        let expected =
            Beginnings { first: counts.second, second: counts.first, ..counts };
        prop_assert_eq!(swapped, expected);
    }
}
