//! From a burn output to a credit: judging it, and minting what the limits leave.

use crate::{
    judge,
    limits::{Spent, Today},
    pallet::{
        AccountBurns, AccountMints, BurnCount, Burns, ClawedBack, Config, Event, Halted, MintCount,
        MintLog, MintedInBlock, MintedOnDay, MintedTotal, Pallet, RejectedCount, RejectedLog,
        Stopped, Sweep, VaultedTotal, MAX_REJECTED,
    },
    types::Credit,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, Peg, WaitCause},
    chain::{AccountId, Balance, BlockNumber, ChainParameters},
    l1::{
        burn::{BurnPayload, BurnRejection},
        OutPoint,
    },
    relay::L1BlockContext,
    reputation::Day,
    sequencers::SequencerSetProvider as _,
};
use frame_support::traits::{fungible::Mutate, Get, Time as _};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// Handles one marked output.
    pub(crate) fn process(outpoint: OutPoint, value: u64, payload: &[u8], block: &L1BlockContext) {
        if let Some(known) = Burns::<T>::get(outpoint.txid, outpoint.vout) {
            return Self::see_again(known, block);
        }
        let parameters = T::Parameters::get();
        let read = BurnPayload::decode(payload).ok();
        let mut record = BurnRecord {
            outpoint,
            peg: Peg::Burn,
            value,
            minted: 0,
            encoded_amount: read.as_ref().map_or(0, |burn| burn.amount),
            recipient: read.map(|burn| burn.recipient.account()),
            outcome: BurnOutcome::Deferred,
            l1_height: block.height,
            l1_hash: block.hash,
            block: Self::block(),
            time: T::Time::now(),
        };
        match judge(payload, value, parameters.chain_id) {
            Ok(burn) => {
                if burn.amount != value {
                    Self::deposit_event(Event::AmountDiffers {
                        outpoint,
                        value,
                        encoded_amount: burn.amount,
                    });
                }
                Self::accept(&mut record, &parameters);
            }
            Err(reason) => Self::refuse(&mut record, reason),
        }
        Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
    }

    /// Rejects an output that is new. The caller stores the record.
    pub(crate) fn refuse(record: &mut BurnRecord, reason: BurnRejection) {
        let BurnRecord { outpoint, value, .. } = *record;
        record.outcome = BurnOutcome::Rejected(reason);
        Self::log_rejected(outpoint);
        Self::deposit_event(Event::BurnRejected { outpoint, value, reason });
    }

    /// Mints of a valid burn what may be minted now, has the rest wait, and keeps it in
    /// mind in case L1 drops it. The caller stores the record.
    pub(crate) fn accept(record: &mut BurnRecord, parameters: &ChainParameters) {
        let today = Self::today(parameters);
        let mut spent = Spent::default();
        let waits = Self::must_wait(record.value, &today)
            .or_else(|| Self::mint(record, &mut spent, &today));
        if let Some(cause) = waits {
            Self::defer(record, spent, cause);
        }
        Self::note_recent(record.outpoint, record.l1_height);
    }

    /// Why nothing is minted for anybody; `None` if it is.
    pub(crate) fn closed(today: &Today) -> Option<WaitCause> {
        if Halted::<T>::get() {
            return Some(WaitCause::Halted);
        }
        if Stopped::<T>::get() {
            return Some(WaitCause::Stopped);
        }
        if T::Emergency::get() {
            return Some(WaitCause::Emergency);
        }
        if T::L1Disputed::get() || Sweep::<T>::exists() {
            return Some(WaitCause::L1Disputed);
        }
        let needed = today.min_sequencers.max(1) as usize;
        (T::Sequencers::members() < needed).then_some(WaitCause::TooFewSequencers)
    }

    /// Mints of a burn what the limits leave, and puts it on record; why a rest waits,
    /// if one does. The caller stores the record.
    pub(crate) fn mint(
        record: &mut BurnRecord,
        spent: &mut Spent,
        today: &Today,
    ) -> Option<WaitCause> {
        let Some(recipient) = record.recipient.clone() else {
            return Some(WaitCause::CreditFailed);
        };
        let Today { day, limits, .. } = *today;
        let rest = Balance::from(record.value.saturating_sub(record.minted));
        let by_burn = spent.left(limits.burn, day);
        let by_address = AccountMints::<T>::get(&recipient).spent.left(limits.address, day);
        // What it may have, if there is as much for all together.
        let due = rest.min(by_burn).min(by_address);
        let amount = due.min(MintedOnDay::<T>::get().left(limits.chain, day));
        if amount > 0 && !Self::mint_to(record, &recipient, spent, amount, day) {
            return Some(WaitCause::CreditFailed);
        }
        if Self::complete(record) {
            return None;
        }
        Some(if amount < due {
            WaitCause::ChainLimit
        } else if by_burn <= by_address {
            WaitCause::TransactionLimit
        } else {
            WaitCause::AddressLimit
        })
    }

    /// Mints so much of a burn, no more than is left of it, and puts it on record and on the
    /// books of the day; `false` if it cannot be credited, and then nothing has changed. The
    /// caller stores the record.
    pub(crate) fn mint_to(
        record: &mut BurnRecord,
        recipient: &AccountId,
        spent: &mut Spent,
        amount: Balance,
        day: Day,
    ) -> bool {
        if T::Currency::mint_into(recipient, amount).is_err() {
            return false;
        }
        let mut account = AccountMints::<T>::get(recipient);
        let mut chain = MintedOnDay::<T>::get();
        // No more than the rest, which is a u64.
        let part: u64 = amount.saturated_into();
        let OutPoint { txid, vout } = record.outpoint;
        // What was taken back is listed already.
        if record.minted == 0 && !ClawedBack::<T>::contains_key(txid, vout) {
            AccountBurns::<T>::insert(recipient, account.burns, record.outpoint);
            account.burns = account.burns.saturating_add(1);
        }
        record.minted = record.minted.saturating_add(part);
        record.block = Self::block();
        record.time = T::Time::now();
        for counter in [spent, &mut account.spent, &mut chain] {
            counter.add(amount, day);
        }
        AccountMints::<T>::insert(recipient, account);
        MintedOnDay::<T>::put(chain);
        MintedTotal::<T>::mutate(|total| *total = total.saturating_add(amount));
        if record.peg == Peg::Vault {
            VaultedTotal::<T>::mutate(|total| *total = total.saturating_add(amount));
        }
        MintedInBlock::<T>::mutate(|total| *total = total.saturating_add(amount));
        let position = MintCount::<T>::mutate(|count| {
            *count = count.saturating_add(1);
            count.saturating_sub(1)
        });
        let credit = Credit {
            outpoint: record.outpoint,
            amount: part,
            block: record.block,
            time: record.time,
        };
        MintLog::<T>::insert(position, credit);
        Self::deposit_event(Event::BurnMinted {
            outpoint: record.outpoint,
            recipient: recipient.clone(),
            amount: part,
            rest: record.value.saturating_sub(record.minted),
        });
        true
    }

    /// Counts a burn of which all is minted; whether it is. The caller stores the record.
    pub(crate) fn complete(record: &mut BurnRecord) -> bool {
        if record.minted < record.value {
            return false;
        }
        record.outcome = BurnOutcome::Minted;
        BurnCount::<T>::mutate(|count| *count = count.saturating_add(1));
        true
    }

    pub(crate) fn block() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    fn log_rejected(outpoint: OutPoint) {
        let position = RejectedCount::<T>::get();
        RejectedCount::<T>::put(position.saturating_add(1));
        let slot = (position % MAX_REJECTED) as u32;
        if let Some(old) = RejectedLog::<T>::get(slot) {
            Burns::<T>::remove(old.txid, old.vout);
        }
        RejectedLog::<T>::insert(slot, outpoint);
    }
}
