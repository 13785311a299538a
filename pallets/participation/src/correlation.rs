//! Whether two sequencers go missing together (R22.1). Pure.
//!
//! What is compared are not absences but their *beginnings*: in which leaders' terms each
//! of the two began to be missing. Who is away for an hour is away once, and two honest
//! ones that happen to be away in the same hour began at different times; two that share a
//! machine, a line or an owner begin in the same term, again and again.
//!
//! Each leader's word is judged by itself. Of two that have nothing to do with each other
//! one expects `first · second / terms` beginnings together in a leader's terms; what is
//! more than that is the *excess*. The measure is the phi coefficient of all leaders' words:
//! the sum of their excesses over the root of the product of the sums of both variances. It
//! is 0 for independent ones, whatever their rates, and 1 for such as never begin alone. It
//! must be at least one half, with an excess of at least [`MIN_EXCESS`]: one or two prove
//! nothing.
//!
//! Nobody can accuse two innocents:
//! - **Leaders lie.** A leader can leave out whom it likes in the blocks it makes
//!   (ADR 0010), and a liar could so make any two seem to be away together. As many
//!   leaders as can be faulty, those of the largest excess, do not count, nor do the two
//!   themselves. What is left is at most the excess that honest leaders saw; and since an
//!   excess is never more than the root of its variances, no liar makes the others' part
//!   weigh more. In one heap with the words of honest leaders, liars that say nothing of
//!   two that are often away would make these look as if they were away together.
//! - **What hits many** says nothing of two. A term in which more than a fifth of the set
//!   of that time began to be missing (one entity's seats at most, but two at least) is not
//!   among the terms.
//!
//! With six sequencers or fewer one at most is missing from a block, and so nothing is
//! ever found.

use crate::types::{Tenure, TermRecord};
use alloc::vec::Vec;
use cascoin_l2_primitives::{chain::quorum, sequencers::SequencerBits};
use core::cmp::Reverse;

/// Beginnings together that it takes besides those that chance explains: six at least.
pub const MIN_EXCESS: i64 = 5;
/// One beginning, in the fractions that excess and variance are computed in.
const ONE: i64 = 1 << 20;

/// Whether a term in which so many of so many members began to be missing says nothing of
/// any two.
pub fn hits_many(began: SequencerBits, members: usize) -> bool {
    began.count() > (members / 5).max(2)
}

/// What is known of absences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absences {
    /// Terms that are over.
    pub now: u32,
    /// From this term on all is known.
    pub since: u32,
    /// Of each member.
    pub tenures: Vec<Tenure>,
    /// Terms in which somebody began to be missing.
    pub records: Vec<TermRecord>,
}

/// In how many of a leader's terms two sequencers began to be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginnings {
    /// The terms, since both are in the set.
    pub terms: u32,
    /// Of these, in which the first one began.
    pub first: u32,
    /// In which the second one did.
    pub second: u32,
    /// In which both did.
    pub together: u32,
}

impl Beginnings {
    /// Beginnings together that chance does not explain, in fractions. All counts are below
    /// 2²⁰, so nothing here saturates.
    pub fn excess(&self) -> i64 {
        let expected = i64::from(self.first).saturating_mul(self.second.into());
        let expected = expected.saturating_mul(ONE).checked_div(self.terms.into()).unwrap_or(0);
        i64::from(self.together).saturating_mul(ONE).saturating_sub(expected)
    }

    /// The variance of one of the two, in fractions, times the terms.
    fn variance(&self, began: u32) -> i64 {
        let not = i64::from(self.terms.saturating_sub(began));
        let product = i64::from(began).saturating_mul(not).saturating_mul(ONE);
        product.checked_div(self.terms.into()).unwrap_or(0)
    }

    fn and(self, other: &Self) -> Self {
        Self {
            terms: self.terms.saturating_add(other.terms),
            first: self.first.saturating_add(other.first),
            second: self.second.saturating_add(other.second),
            together: self.together.saturating_add(other.together),
        }
    }
}

/// What leaders say of two, without those that could be liars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Testimony(Vec<Beginnings>);

impl Testimony {
    /// Of two members.
    pub fn of(absences: &Absences, first: u16, second: u16) -> Self {
        let members = absences.tenures.len();
        let words = words(absences, first, second);
        Self::without(faulty(members), words)
    }

    /// Without so many, those of the largest excess; of equals the first.
    pub fn without(liars: usize, mut words: Vec<Beginnings>) -> Self {
        words.sort_by_key(|word| Reverse(word.excess()));
        Self(words.into_iter().skip(liars).collect())
    }

    /// All of it in one sum.
    pub fn sum(&self) -> Beginnings {
        self.0.iter().fold(Beginnings::default(), Beginnings::and)
    }

    /// Whether that is more than chance.
    pub fn is_correlated(&self) -> bool {
        let sum = |of: &dyn Fn(&Beginnings) -> i64| -> i64 {
            self.0.iter().fold(0, |sum: i64, word| sum.saturating_add(of(word)))
        };
        let excess = sum(&Beginnings::excess);
        if excess < MIN_EXCESS.saturating_mul(ONE) {
            return false;
        }
        // phi = excess / √(variance · variance). Of 2¹⁰ records all of this is below 2⁶².
        let [first, second] = [
            sum(&|word: &Beginnings| word.variance(word.first)),
            sum(&|word: &Beginnings| word.variance(word.second)),
        ]
        .map(|variance| u128::from(variance.unsigned_abs()));
        let excess = u128::from(excess.unsigned_abs());
        excess.saturating_mul(excess).saturating_mul(4) >= first.saturating_mul(second)
    }
}

/// All pairs of members that are correlated, by index, the lower one first.
pub fn correlated_pairs(absences: &Absences) -> impl Iterator<Item = (u16, u16)> + '_ {
    let members = u16::try_from(absences.tenures.len()).unwrap_or(u16::MAX);
    let pairs = (0..members).flat_map(move |first| {
        (first.saturating_add(1)..members).map(move |second| (first, second))
    });
    pairs.filter(move |(first, second)| Testimony::of(absences, *first, *second).is_correlated())
}

/// What each leader says of two members since both are in the set; not the two themselves,
/// nor who left the set.
pub fn words(absences: &Absences, first: u16, second: u16) -> Vec<Beginnings> {
    let Absences { now, since, tenures, records } = absences;
    let [one, other] = [first, second].map(usize::from);
    let joined = |index: usize| tenures.get(index).map_or(*now, |tenure| tenure.joined);
    let since = joined(one).max(joined(other)).max(*since);
    let mut words: Vec<Beginnings> = tenures
        .iter()
        .map(|tenure| Beginnings { terms: tenure.led_since(since, *now), ..Default::default() })
        .collect();
    for record in records.iter().filter(|record| record.term >= since) {
        let Some(word) = words.get_mut(usize::from(record.leader)) else { continue };
        let [began, other_began] = [one, other].map(|index| record.began.contains(index));
        word.first = word.first.saturating_add(began.into());
        word.second = word.second.saturating_add(other_began.into());
        word.together = word.together.saturating_add((began && other_began).into());
    }
    let leaders = words.into_iter().enumerate().filter(|(index, _)| ![one, other].contains(index));
    leaders
        .map(|(_, word)| {
            // How many it led is estimated, and not fewer than it tells of.
            let told = word.first.saturating_add(word.second).saturating_sub(word.together);
            Beginnings { terms: word.terms.max(told), ..word }
        })
        .collect()
}

/// How many members of a set can be faulty.
fn faulty(members: usize) -> usize {
    members.saturating_sub(quorum(members))
}
