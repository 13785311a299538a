//! Whether two sequencers miss votes together (R22.1). Pure.
//!
//! What is compared are not absences but their *beginnings*: in which leaders' terms each
//! of the two began to be missing. Who is away for an hour is away once, and two honest
//! ones that happen to be away in the same hour began at different times; two that share a
//! machine, a line or an owner begin in the same term, again and again.
//!
//! Two begin together in a term by chance in `first · second / terms` of the terms. The
//! measure is the phi coefficient of both beginnings, which is 0 for independent ones,
//! whatever their rates, and 1 for such as never begin alone. It must be at least one
//! half, of at least [`MIN_TOGETHER`] beginnings together: one or two prove nothing.
//!
//! Nobody can accuse two innocents:
//! - **Leaders lie.** A leader can leave out whom it likes in the blocks it makes
//!   (ADR 0010), and a liar could so make any two seem to be away together. As many
//!   leaders as can be faulty, those whose terms had most beginnings of both, do not count,
//!   nor do the two themselves. What is left is at most what honest leaders saw.
//! - **What hits many** says nothing of two. A term in which more than a fifth of the set
//!   began to be missing (one entity's seats at most, but two at least) does not count.
//!
//! With six sequencers or fewer one at most is missing from a block, and so nothing is
//! ever found.

use crate::types::TermRecord;
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, MAX_SEQUENCERS},
    sequencers::SequencerBits,
};

/// Beginnings together that it takes at least.
pub const MIN_TOGETHER: u32 = 6;

/// What is known of absences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absences {
    /// Of so many terms.
    pub terms: u32,
    /// Those in which somebody began to be missing.
    pub records: Vec<TermRecord>,
}

/// In how many terms two sequencers began to be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginnings {
    /// Terms that count. Which leader led how many is not kept: it is the share of all
    /// that is heard leaders' if all lead alike.
    pub terms: u32,
    /// Of these, in which the first one began.
    pub first: u32,
    /// In which the second one did.
    pub second: u32,
    /// In which both did.
    pub together: u32,
}

impl Beginnings {
    /// Of two members of a set of this size.
    pub fn of(absences: &Absences, first: u16, second: u16, members: usize) -> Self {
        let Absences { terms, records } = absences;
        let widest = (members / 5).max(2);
        let both = SequencerBits::NOBODY.with(first).with(second);
        let counts = |record: &&TermRecord| {
            let leader = usize::from(record.leader);
            leader < members && !both.contains(leader) && record.began.count() <= widest
        };
        let unheard = most_together(records.iter().filter(counts), both, members);
        let silent = faulty(members).saturating_add(both.count());
        let mut sum = Self { terms: share(*terms, members, silent), ..Self::default() };
        let heard = |record: &&TermRecord| !unheard.contains(record.leader.into());
        for record in records.iter().filter(counts).filter(heard) {
            let [one, other] = [first, second].map(|index| record.began.contains(index.into()));
            sum.first = sum.first.saturating_add(one.into());
            sum.second = sum.second.saturating_add(other.into());
            sum.together = sum.together.saturating_add((one && other).into());
        }
        sum
    }

    /// Whether that is more than chance.
    pub fn are_correlated(&self) -> bool {
        let [terms, first, second, together] =
            [self.terms, self.first, self.second, self.together].map(u128::from);
        if self.together < MIN_TOGETHER {
            return false;
        }
        // phi = (terms · together − first · second) / √(first · (terms − first) · second ·
        // (terms − second)). With at most 2¹⁷ terms and 2¹⁰ records all of this is below
        // 2⁵⁷. Where somebody began in more terms than there are by the estimate, it began
        // in all, and nothing follows from that.
        let expected = first.saturating_mul(second);
        let Some(excess) = terms.saturating_mul(together).checked_sub(expected) else {
            return false;
        };
        let variance = |began: u128| began.saturating_mul(terms.saturating_sub(began));
        let variances = variance(first).saturating_mul(variance(second));
        excess > 0 && excess.saturating_mul(excess).saturating_mul(4) >= variances
    }
}

/// As many leaders as can be faulty: those in whose terms both began most often, of equals
/// those of the lower index.
fn most_together<'a>(
    records: impl Iterator<Item = &'a TermRecord>,
    both: SequencerBits,
    members: usize,
) -> SequencerBits {
    let mut together = [0u32; MAX_SEQUENCERS as usize];
    for record in records.filter(|record| both.is_within(record.began)) {
        if let Some(count) = together.get_mut(usize::from(record.leader)) {
            *count = count.saturating_add(1);
        }
    }
    let mut leaders: Vec<(u32, u16)> =
        together.into_iter().zip(0..).filter(|(count, _)| *count > 0).collect();
    leaders.sort_by(|(a, x), (b, y)| b.cmp(a).then(x.cmp(y)));
    leaders.into_iter().take(faulty(members)).map(|(_, leader)| leader).collect()
}

/// How many members of a set can be faulty.
fn faulty(members: usize) -> usize {
    members.saturating_sub(quorum(members))
}

/// The part of `terms` that all leaders have but `silent` of them.
fn share(terms: u32, members: usize, silent: usize) -> u32 {
    let [members, silent] = [members, silent].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let heard = members.saturating_sub(silent);
    // Both are small: at most 2¹⁷ terms of 64 leaders.
    terms.saturating_mul(heard).checked_div(members).unwrap_or(0)
}
