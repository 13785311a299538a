//! What one account has on hold. Pure.

use crate::MAX_CHUNKS;
use cascoin_l2_primitives::chain::{Balance, BlockNumber};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// An amount that is being unbonded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Chunk {
    /// Base units.
    pub amount: Balance,
    /// The block from which it can be withdrawn.
    pub free_at: BlockNumber,
}

/// All that an account has on hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ledger {
    /// Its stake.
    pub bonded: Balance,
    /// What it takes back, the oldest first.
    pub unbonding: BoundedVec<Chunk, ConstU32<MAX_CHUNKS>>,
}

impl Ledger {
    /// Everything on hold, which an offence can take.
    pub fn total(&self) -> Balance {
        let unbonding = self.unbonding.iter().map(|chunk| chunk.amount);
        unbonding.fold(self.bonded, Balance::saturating_add)
    }

    /// Takes `amount`, which is at most what is bonded, back.
    pub(crate) fn unbond(&mut self, amount: Balance, free_at: BlockNumber) -> Result<(), ()> {
        match self.unbonding.last_mut().filter(|chunk| chunk.free_at == free_at) {
            Some(chunk) => chunk.amount = chunk.amount.saturating_add(amount),
            None => self.unbonding.try_push(Chunk { amount, free_at }).map_err(|_| ())?,
        }
        self.bonded = self.bonded.saturating_sub(amount);
        Ok(())
    }

    /// Makes `amount` stake again, or changes nothing if it is not there.
    pub(crate) fn rebond(&mut self, amount: Balance) -> Result<(), ()> {
        if self.total().saturating_sub(self.bonded) < amount {
            return Err(());
        }
        self.take_unbonding(amount);
        self.bonded = self.bonded.saturating_add(amount);
        Ok(())
    }

    /// Takes out what is free at `now`.
    pub(crate) fn withdraw(&mut self, now: BlockNumber) -> Balance {
        let before = self.total();
        self.unbonding.retain(|chunk| chunk.free_at > now);
        before.saturating_sub(self.total())
    }

    /// Takes away `amount`, or all there is: stake first, since it is what was put at
    /// risk, then what was unbonded last. Returns what was taken.
    pub(crate) fn slash(&mut self, amount: Balance) -> Balance {
        let from_stake = amount.min(self.bonded);
        self.bonded = self.bonded.saturating_sub(from_stake);
        let rest = amount.saturating_sub(from_stake);
        from_stake.saturating_add(self.take_unbonding(rest))
    }

    fn take_unbonding(&mut self, amount: Balance) -> Balance {
        let mut left = amount;
        for chunk in self.unbonding.iter_mut().rev() {
            let taken = left.min(chunk.amount);
            chunk.amount = chunk.amount.saturating_sub(taken);
            left = left.saturating_sub(taken);
        }
        self.unbonding.retain(|chunk| chunk.amount > 0);
        amount.saturating_sub(left)
    }
}
