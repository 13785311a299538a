//! Who censored, and when: pure rules.
//!
//! All that a sequencer left out in one epoch is one *occasion*: whoever has several
//! transactions left out at once does not make a repeat offender of anybody.

use cascoin_l2_primitives::{
    chain::{AccountId, Moment, MAX_SEQUENCERS},
    sequencers::OffenceKind,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Blocks in which a leader leaves out the same transaction before it is to blame for it.
/// The runtime makes the inherent, so nobody leaves one out by accident; three are for what
/// nobody thought of.
pub const MIN_LEFT_OUT: u32 = 3;
/// Leaders of which it is noted for one transaction.
pub const MAX_LEADERS: u32 = MAX_SEQUENCERS;
/// Occasions within a month that make a repeat offender (R17.5).
pub const MAX_OCCASIONS: u32 = 3;
/// Censors on record.
pub const MAX_CENSORS: u32 = 256;
/// A month: 30 days, milliseconds.
pub const MONTH_MS: Moment = 30 * 24 * 60 * 60 * 1_000;

/// A leader, and in how many of its blocks it left a transaction out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Leader {
    /// Who.
    pub account: AccountId,
    /// Blocks in which it was asked for the transaction, had room and left it out.
    pub blocks: u32,
}

/// Who left out one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Leaders(pub BoundedVec<Leader, ConstU32<MAX_LEADERS>>);

impl Leaders {
    /// `account` left it out in one more block. One more leader than fit is not noted: who
    /// is not noted is not blamed.
    pub fn note(&mut self, account: AccountId) {
        match self.0.iter_mut().find(|leader| leader.account == account) {
            Some(leader) => leader.blocks = leader.blocks.saturating_add(1),
            None => {
                let _ = self.0.try_push(Leader { account, blocks: 1 });
            }
        }
    }

    /// Those that did so often enough to be to blame, in the order in which they began.
    pub fn to_blame(self) -> impl Iterator<Item = AccountId> {
        let often = |leader: &Leader| leader.blocks >= MIN_LEFT_OUT;
        self.0.into_iter().filter(often).map(|leader| leader.account)
    }
}

/// One epoch in which a sequencer was found to censor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Occasion {
    /// The number of the epoch.
    pub epoch: u32,
    /// When it was found, milliseconds since 1970.
    pub at: Moment,
}

/// A sequencer that censored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Censor {
    /// Who.
    pub account: AccountId,
    /// Transactions that it left out and the runtime had to apply, since it is on record.
    pub transactions: u32,
    /// The last occasions, oldest first; never none.
    pub occasions: BoundedVec<Occasion, ConstU32<MAX_OCCASIONS>>,
}

impl Censor {
    fn of(account: AccountId) -> Self {
        Self { account, transactions: 0, occasions: BoundedVec::new() }
    }

    /// Counts one more transaction. Returns the offence that follows: one for each epoch,
    /// and the graver one if there were as many as make a repeat offender within a month.
    pub fn count(&mut self, epoch: u32, now: Moment) -> Option<OffenceKind> {
        self.transactions = self.transactions.saturating_add(1);
        if self.occasions.last().is_some_and(|last| last.epoch == epoch) {
            return None;
        }
        self.occasions.retain(|occasion| !is_over(occasion, now));
        if self.occasions.is_full() {
            self.occasions.remove(0);
        }
        let _ = self.occasions.try_push(Occasion { epoch, at: now });
        Some(match self.occasions.is_full() {
            true => OffenceKind::RepeatedCensorship,
            false => OffenceKind::Censorship,
        })
    }

    /// Whether its last occasion is longer ago than a month.
    pub fn is_forgotten(&self, now: Moment) -> bool {
        self.occasions.last().is_none_or(|last| is_over(last, now))
    }
}

fn is_over(occasion: &Occasion, now: Moment) -> bool {
    now.saturating_sub(occasion.at) > MONTH_MS
}

/// All censors of the last month, oldest record first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Censors(pub BoundedVec<Censor, ConstU32<MAX_CENSORS>>);

impl Censors {
    /// Counts one transaction of `account`, as [`Censor::count`] does. With more than fit
    /// the oldest record is forgotten.
    pub fn count(&mut self, account: AccountId, epoch: u32, now: Moment) -> Option<OffenceKind> {
        if let Some(known) = self.0.iter_mut().find(|known| known.account == account) {
            return known.count(epoch, now);
        }
        let mut censor = Censor::of(account);
        let offence = censor.count(epoch, now);
        if self.0.is_full() {
            self.0.remove(0);
        }
        let _ = self.0.try_push(censor);
        offence
    }

    /// Forgets whose last occasion is longer ago than a month.
    pub fn forget(&mut self, now: Moment) {
        self.0.retain(|censor| !censor.is_forgotten(now));
    }
}
