//! What others read: records by transaction, block and account, and how burns wait.

use crate::{
    limits::{begins_at, Today},
    pallet::{
        AccountBurns, AccountMints, Burns, Config, Deferred, DeferredRange, MintCount, MintLog,
        MintedOnDay, Pallet, RoundOfTurns, Stopped, Waits,
    },
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, BurnWait, MintRecord, MintingStatus, WaitCause},
    chain::{AccountId, Balance, BlockNumber, Moment},
    l1::{L1Hash, OutPoint},
};
use frame_support::traits::{Get, Time as _};

/// Most records that one query returns, whatever limit the caller names.
pub const MAX_RECORDS: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// What is on record of one output.
    pub fn burn(outpoint: &OutPoint) -> Option<BurnRecord> {
        Burns::<T>::get(outpoint.txid, outpoint.vout)
    }

    /// All outputs on record of one L1 transaction, by position; at most
    /// [`MAX_RECORDS`] of them.
    pub fn burns_of_transaction(txid: L1Hash) -> Vec<BurnRecord> {
        let mut records: Vec<_> =
            Burns::<T>::iter_prefix_values(txid).take(MAX_RECORDS as usize).collect();
        records.sort_by_key(|record| record.outpoint.vout);
        records
    }

    /// Credits of the L2 blocks `from..=to`, oldest first, at most `limit`.
    pub fn mint_history(from: BlockNumber, to: BlockNumber, limit: u32) -> Vec<MintRecord> {
        (Self::first_credit_from(from)..MintCount::<T>::get())
            .map_while(MintLog::<T>::get)
            .take_while(|credit| credit.block <= to)
            .take(limit.min(MAX_RECORDS) as usize)
            .filter_map(|credit| {
                let burn = Self::burn(&credit.outpoint)?;
                Some(MintRecord {
                    outpoint: credit.outpoint,
                    amount: credit.amount,
                    recipient: burn.recipient,
                    l1_height: burn.l1_height,
                    l1_hash: burn.l1_hash,
                    block: credit.block,
                    time: credit.time,
                })
            })
            .collect()
    }

    /// Burns credited to an account, in full or in part, newest first, at most `limit`.
    pub fn burns_of_account(account: AccountId, limit: u32) -> Vec<BurnRecord> {
        (0..AccountMints::<T>::get(&account).burns)
            .rev()
            .take(limit.min(MAX_RECORDS) as usize)
            .filter_map(|sequence| AccountBurns::<T>::get(&account, sequence))
            .filter_map(|outpoint| Self::burn(&outpoint))
            .collect()
    }

    /// Valid burns that wait, in the order of their turns, at most `limit`.
    pub fn deferred_burns(limit: u32) -> Vec<BurnRecord> {
        let (start, end) = DeferredRange::<T>::get();
        (start..end)
            .take(limit.min(MAX_RECORDS) as usize)
            .filter_map(Deferred::<T>::get)
            .filter_map(|outpoint| Self::burn(&outpoint))
            .collect()
    }

    /// How each of the first [`MAX_RECORDS`] of some burns waits.
    pub fn burn_waits(outpoints: &[OutPoint]) -> Vec<Option<BurnWait>> {
        let common = Common::now::<T>();
        let asked = outpoints.iter().take(MAX_RECORDS as usize);
        asked.map(|outpoint| Self::burn_wait_in(&common, outpoint)).collect()
    }

    /// How a burn waits; `None` if it does not. Times are the earliest that the limits
    /// allow: others may use up a limit before it.
    pub fn burn_wait(outpoint: &OutPoint) -> Option<BurnWait> {
        Self::burn_wait_in(&Common::now::<T>(), outpoint)
    }

    fn burn_wait_in(common: &Common, outpoint: &OutPoint) -> Option<BurnWait> {
        let record = Self::burn(outpoint)?;
        if record.outcome != BurnOutcome::Deferred {
            return None;
        }
        let waiting = Waits::<T>::get(outpoint.txid, outpoint.vout)?;
        let Common { now, today, by_chain, .. } = *common;
        let account = record.recipient.as_ref().map(AccountMints::<T>::get).unwrap_or_default();
        let by_burn = waiting.spent.left(today.limits.burn, today.day);
        let by_address = account.spent.left(today.limits.address, today.day);
        let cause = common.closed.unwrap_or(if by_burn == 0 {
            WaitCause::TransactionLimit
        } else if by_address == 0 {
            WaitCause::AddressLimit
        } else if by_chain == 0 {
            WaitCause::ChainLimit
        } else if waiting.place < common.turns_until {
            WaitCause::Turn
        } else {
            WaitCause::CreditFailed
        });
        let rest = record.value.saturating_sub(record.minted);
        let left = by_burn.min(by_address).min(by_chain);
        let (next_at, complete_at) = match cause {
            WaitCause::Halted
            | WaitCause::Stopped
            | WaitCause::Emergency
            | WaitCause::L1Disputed
            | WaitCause::TooFewSequencers => (None, None),
            WaitCause::Turn => (Some(now), Some(complete_at(&today, now, rest, left))),
            _ => (Some(today.ends_at()), Some(complete_at(&today, now, rest, 0))),
        };
        let place = waiting.place.saturating_sub(common.head);
        Some(BurnWait { cause, place, next_at, complete_at })
    }

    /// Whether anything is minted, and why not if it is not.
    pub fn minting() -> MintingStatus {
        let today = Today::new(&T::Parameters::get(), T::Time::now());
        MintingStatus { stopped: Stopped::<T>::get(), rests_for: Self::closed(&today) }
    }

    // Position of the first credit in block `from` or later. The log is sorted by
    // block, so a binary search needs no index of blocks, most of which mint
    // nothing.
    fn first_credit_from(from: BlockNumber) -> u64 {
        let (mut low, mut high) = (0, MintCount::<T>::get());
        while low < high {
            let middle = low + (high - low) / 2;
            if MintLog::<T>::get(middle).is_some_and(|credit| credit.block < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// What is the same for all burns of one answer: it is read once, however many they are.
struct Common {
    now: Moment,
    today: Today,
    /// Why nothing is minted for anybody.
    closed: Option<WaitCause>,
    /// What may be minted today for all together.
    by_chain: Balance,
    /// Places below it have not had their turn.
    turns_until: u64,
    /// The first place of the queue.
    head: u64,
}

impl Common {
    fn now<T: Config>() -> Self {
        let now = T::Time::now();
        let today = Today::new(&T::Parameters::get(), now);
        let round = RoundOfTurns::<T>::get();
        let new_round = (round.day, round.limits) != (today.day, today.limits);
        let (head, end) = DeferredRange::<T>::get();
        Self {
            now,
            today,
            closed: Pallet::<T>::closed(&today),
            by_chain: MintedOnDay::<T>::get().left(today.limits.chain, today.day),
            turns_until: if new_round { end } else { round.until },
            head,
        }
    }
}

// When nothing of `rest` is left, if `left` of it can be minted today.
fn complete_at(today: &Today, now: Moment, rest: u64, left: Balance) -> Moment {
    match today.last_day(rest, left) {
        day if day == today.day => now,
        day => begins_at(day),
    }
}
