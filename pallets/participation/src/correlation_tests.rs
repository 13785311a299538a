//! What chance, outages and liars can bring about, simulated; the same each time.

use crate::{
    correlation::{
        correlated_pairs, hits_many, words, Absences, Beginnings, Testimony, MIN_EXCESS,
    },
    types::{Tenure, TermRecord, MAX_RECORDS, WINDOW_TERMS},
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

/// Nobody else goes away.
fn nothing(_: &mut Chance) -> Vec<usize> {
    vec![]
}

/// A leader that says what it sees.
fn honest(_: &mut Chance, _: usize, seen: SequencerBits) -> SequencerBits {
    seen
}

/// A set, and how it behaves.
struct Network {
    members: usize,
    /// Of 10,000 terms, in how many one that is there goes away.
    goes: u64,
    /// Of 10,000 terms, in how many one that is away comes back.
    returns: u64,
    /// Of 10,000 terms, in how many one of the first three leads, besides its turns.
    heavy: u64,
}

impl Network {
    /// All lead alike.
    fn of(members: usize, goes: u64, returns: u64) -> Self {
        Self { members, goes, returns, heavy: 0 }
    }

    fn faulty(&self) -> usize {
        self.members - quorum(self.members)
    }

    /// A window of terms, or fewer if that fills the records. `event` says who else goes
    /// away in a term, after it came back if it was away; `says` makes of who went away what
    /// its leader says.
    fn window(
        &self,
        chance: &mut Chance,
        mut event: impl FnMut(&mut Chance) -> Vec<usize>,
        mut says: impl FnMut(&mut Chance, usize, SequencerBits) -> SequencerBits,
    ) -> Absences {
        let mut away = vec![false; self.members];
        let tenures = vec![Tenure::default(); self.members];
        let mut absences = Absences { tenures, ..Default::default() };
        while absences.now < WINDOW_TERMS && absences.records.len() < MAX_RECORDS as usize {
            let term = absences.now;
            absences.now += 1;
            let mut before = away.clone();
            for one in away.iter_mut() {
                let changes = if *one { self.returns } else { self.goes };
                *one ^= chance.of_10_000(changes);
            }
            for index in event(chance) {
                before[index] = false;
                away[index] = true;
            }
            // Without a quorum there is no block: some come back first.
            while away.iter().filter(|one| **one).count() > self.faulty() {
                away[chance.below(self.members)] = false;
            }
            let there: Vec<_> = (0..self.members).filter(|index| !away[*index]).collect();
            let among = if chance.of_10_000(self.heavy) { 3.min(there.len()) } else { there.len() };
            let leader = there[chance.below(among)];
            let went = (0..self.members).filter(|index| away[*index] && !before[*index]);
            let began = says(chance, leader, went.map(|index| index as u16).collect());
            if hits_many(began, self.members) {
                continue;
            }
            absences.tenures[leader].leads(absences.now);
            if began != SequencerBits::NOBODY {
                absences.records.push(TermRecord { term, leader: leader as u8, began });
            }
        }
        absences
    }

    fn found(&self, records: &Absences, one: usize, other: usize) -> bool {
        Testimony::of(records, one as u16, other as u16).is_correlated()
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
            let network = Network::of(members, goes, 3_000);
            for _ in 0..windows {
                let (some, pairs) = network.pairs(&network.window(&mut chance, nothing, honest));
                found += some;
                all += pairs;
            }
        }
    }
    assert!(all > 120_000, "{all}");
    assert_eq!(found, 0, "of {all}");
}

/// Nor where three of 21 lead three of four terms and two go away in seven of ten. Were
/// each leader taken to lead all terms, these two would be found.
#[test]
fn r22_1_it_does_not_matter_who_leads_how_often() {
    let mut chance = Chance(5);
    let mut otherwise = 0;
    for _ in 0..20 {
        let network = Network { heavy: 7_000, ..Network::of(21, 5, 9_000) };
        let often = |chance: &mut Chance| {
            [19, 20].into_iter().filter(|_| chance.of_10_000(7_000)).collect()
        };
        let mut records = network.window(&mut chance, often, honest);
        assert_eq!(network.pairs(&records).0, 0);
        let all = records.now;
        records.tenures.iter_mut().for_each(|tenure| tenure.led = all);
        otherwise += usize::from(network.found(&records, 19, 20));
    }
    assert!(otherwise > 10, "{otherwise}");
}

/// Whole networks that stutter: as many as a quorum allows go away at once, others each
/// time, or always the same third of the world.
#[test]
fn r22_1_an_outage_that_hits_all_is_no_collusion() {
    let mut chance = Chance(2);
    for goes in RATES {
        let network = Network::of(21, goes, 5_000);
        for _ in 0..20 {
            let anybody = |chance: &mut Chance| match chance.of_10_000(500) {
                true => (0..21).filter(|_| chance.of_10_000(3_000)).collect(),
                false => vec![],
            };
            let records = network.window(&mut chance, anybody, honest);
            assert_eq!(network.pairs(&records).0, 0);
        }
    }
    let steady = Network::of(21, 5, 5_000);
    for _ in 0..20 {
        let region = |chance: &mut Chance| match chance.of_10_000(300) {
            true => (0..6).collect(),
            false => vec![],
        };
        let records = steady.window(&mut chance, region, honest);
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
        let network = Network::of(21, 1, 5_000);
        let machine = |chance: &mut Chance| match chance.of_10_000(4) {
            true => vec![4, 11],
            false => vec![],
        };
        let records = network.window(&mut chance, machine, honest);
        let expected = usize::from(network.found(&records, 4, 11));
        found += expected;
        assert_eq!(network.pairs(&records).0, expected, "somebody else");
    }
    assert!(found >= 45, "{found} of 50");
}

/// A third of the leaders, rounded down, says in each of its terms that two honest ones
/// began to be missing.
#[test]
fn r22_1_lying_leaders_cannot_have_two_others_found() {
    let mut chance = Chance(4);
    for members in [7, 10, 21, 64] {
        for goes in [5, 30, 100] {
            let network = Network::of(members, goes, 3_000);
            let faulty = network.faulty();
            let victims = (members - 1, members - 2);
            let both = SequencerBits::NOBODY.with(victims.0 as u16).with(victims.1 as u16);
            for _ in 0..20 {
                // Always, and every other time.
                for always in [10_000, 5_000] {
                    let says =
                        |chance: &mut Chance, leader: usize, seen: SequencerBits| match leader
                            < faulty
                            && chance.of_10_000(always)
                        {
                            true => both,
                            false => seen,
                        };
                    let records = network.window(&mut chance, nothing, says);
                    assert!(!network.found(&records, victims.0, victims.1), "{members}");
                }
            }
        }
    }
    // The premise: without the rule about leaders they would succeed.
    let network = Network::of(21, 5, 3_000);
    let both = SequencerBits::NOBODY.with(20).with(19);
    let says = |chance: &mut Chance, leader: usize, seen| match leader < 8 {
        true if chance.of_10_000(5_000) => both,
        _ => seen,
    };
    let records = network.window(&mut chance, nothing, says);
    assert!(network.found(&records, 20, 19), "eight liars are more than a third");
}

/// Attack: two honest ones are often away, for reasons of their own. A third of the leaders
/// tells of both together a little less often than chance has it, so that other leaders
/// are the ones that do not count, and else of neither. In one heap that makes two of them
/// that go away together.
#[test]
fn r22_1_liars_cannot_make_a_pair_of_two_that_are_often_away() {
    let mut chance = Chance(6);
    let mut in_one_heap = 0;
    for often in [3_000, 5_000, 7_000] {
        // What both together are by chance, less a tenth.
        let told = often * often / 10_000 * 9 / 10;
        for _ in 0..20 {
            let network = Network::of(7, 5, 10_000);
            let both = SequencerBits::NOBODY.with(5).with(6);
            let event = |chance: &mut Chance| {
                [5, 6].into_iter().filter(|_| chance.of_10_000(often)).collect()
            };
            let says = |chance: &mut Chance, leader: usize, seen| match leader < 2 {
                true if chance.of_10_000(told) => both,
                true => SequencerBits::NOBODY,
                false => seen,
            };
            let records = network.window(&mut chance, event, says);
            assert!(!network.found(&records, 5, 6), "{often}");
            let mut heap = words(&records, 5, 6);
            heap.sort_by_key(|word| std::cmp::Reverse(word.together));
            let heap = Testimony::without(0, heap.split_off(2)).sum();
            in_one_heap += usize::from(Testimony::without(0, vec![heap]).is_correlated());
        }
    }
    assert!(in_one_heap > 20, "{in_one_heap} of 60");
}

#[test]
fn r22_1_a_few_times_together_prove_nothing() {
    let found = |terms, together| {
        let word = Beginnings { terms, first: together, second: together, together };
        Testimony::without(0, vec![word]).is_correlated()
    };
    let least = MIN_EXCESS as u32 + 1;
    assert!(!found(1_000, least - 1));
    assert!(found(1_000, least));
    assert!(!found(9, 9), "who is missing in every term is missing with everybody");
    assert!(!Testimony::default().is_correlated());
}

/// What the two themselves say of each other does not count, nor what a leader said that
/// is gone; and nothing from before one of the two was there.
#[test]
fn only_others_of_the_set_are_heard_and_of_the_time_of_both() {
    let both = SequencerBits(0b11);
    let record = |term: u32| TermRecord {
        term,
        leader: [0, 1, u8::MAX, 64, 2][term as usize % 5],
        began: both,
    };
    let records: Vec<_> = (0..200).map(record).collect();
    let mut tenures = vec![Tenure { joined: 0, counted_from: 0, led: 100 }; 7];
    let absences = Absences { now: 700, since: 0, tenures: tenures.clone(), records };
    let told = |terms, count| Beginnings { terms, first: count, second: count, together: count };
    let heard = words(&absences, 0, 1);
    assert_eq!(heard, [told(100, 40), told(100, 0), told(100, 0), told(100, 0), told(100, 0)]);
    // Since term 100 a leader led six of seven as often.
    tenures[1].joined = 100;
    tenures[1].counted_from = 100;
    let later = Absences { tenures, ..absences.clone() };
    assert_eq!(words(&later, 0, 1)[..2], [told(85, 20), told(85, 0)]);
    // As many as can be faulty of seven: the first of them is not heard.
    let heard = Testimony::of(&absences, 0, 1);
    assert_eq!(heard.sum(), Beginnings { terms: 300, ..Default::default() });
}

/// Two pairs, each of which begins to be missing in other terms than the other.
#[test]
fn r22_1_all_pairs_are_found_and_no_others() {
    let record = |term: u32| TermRecord {
        term,
        leader: [3, 4, 6][term as usize % 3],
        began: SequencerBits(if term % 2 == 0 { 0b11 } else { 0b10_0100 }),
    };
    let records: Vec<_> = (0..90).map(record).collect();
    let tenures = vec![Tenure { joined: 0, counted_from: 0, led: 100 }; 7];
    let absences = Absences { now: 700, since: 0, tenures, records };
    assert_eq!(correlated_pairs(&absences).collect::<Vec<_>>(), [(0, 1), (2, 5)]);
    assert_eq!(correlated_pairs(&Absences::default()).count(), 0);
}

/// Terms are counted for a window; then half of it is forgotten, as if a leader led as often
/// all the time.
#[test]
fn how_often_a_leader_leads_is_counted_for_a_window() {
    let mut tenure = Tenure::from(10);
    for term in (13..=10 + 3 * WINDOW_TERMS).step_by(4) {
        tenure.leads(term);
        assert!(term - tenure.counted_from <= WINDOW_TERMS);
        assert!(tenure.led <= (term - tenure.counted_from) / 4 + 2);
    }
    let now = 10 + 3 * WINDOW_TERMS;
    let led = tenure.led_since(now - WINDOW_TERMS, now);
    assert!(led.abs_diff(WINDOW_TERMS / 4) < 10, "{led}");
    assert_eq!(tenure.led_since(now, now), 0);
    assert_eq!(Tenure::from(now).led_since(0, now), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// R22.1: the integers say what the formula says.
    #[test]
    fn r22_1_the_threshold_is_a_phi_of_one_half(
        leaders in prop::collection::vec((1u32..1_000, 0u32..40, 0u32..40, 0u32..60), 1..8),
    ) {
        let words = leaders.into_iter().map(|(neither, one, other, together)| Beginnings {
            terms: neither + one + other + together,
            first: together + one,
            second: together + other,
            together,
        });
        let words: Vec<_> = words.collect();
        let (mut excess, mut variance) = (0.0f64, [0.0f64; 2]);
        for word in &words {
            let [n, a, b, ab] =
                [word.terms, word.first, word.second, word.together].map(f64::from);
            excess += ab - a * b / n;
            variance[0] += a * (n - a) / n;
            variance[1] += b * (n - b) / n;
        }
        let phi = excess / f64::sqrt(variance[0] * variance[1]);
        let least = MIN_EXCESS as f64;
        // Not a number where one of them never began.
        prop_assume!(phi.is_nan() || (phi - 0.5).abs() > 1e-4);
        prop_assume!((excess - least).abs() > 1e-4);
        let found = Testimony::without(0, words).is_correlated();
        prop_assert_eq!(found, excess > least && phi > 0.5);
    }

    /// Whatever stands in the records, nothing is counted twice, who is named first is
    /// nothing, and no excess is more than the root of its variances: a liar's words weigh
    /// as much against as for.
    #[test]
    fn counts_are_within_each_other(
        records in prop::collection::vec((any::<u8>(), any::<u64>()), 0..300),
        sparse: bool,
        pair in (0u16..70, 0u16..70),
        led in prop::collection::vec(0u32..1_000, 0..=64),
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
        let tenures = led.iter().map(|led| Tenure { led: *led, ..Default::default() }).collect();
        let absences = Absences { now: 1_000, since: 0, tenures, records };
        let all = words(&absences, pair.0, pair.1);
        let swapped = words(&absences, pair.1, pair.0);
        for (word, swapped) in all.iter().zip(&swapped) {
            prop_assert!(word.together <= word.first.min(word.second));
            prop_assert!(word.first.max(word.second) <= word.terms);
            let [n, a, b] = [word.terms, word.first, word.second].map(f64::from);
            let excess = word.excess() as f64 / f64::from(1 << 20);
            let most = f64::sqrt(a * (n - a) * b * (n - b)) / n.max(1.0);
            prop_assert!(excess <= most + 1e-4);
            let expected =
                Beginnings { first: word.second, second: word.first, ..*word };
            prop_assert_eq!(*swapped, expected);
        }
        let sum = Testimony::of(&absences, pair.0, pair.1).sum();
        prop_assert!(sum.first.max(sum.second) as usize <= absences.records.len());
        prop_assert!(all.len() <= absences.tenures.len());
    }
}
