//! What messages from L1 destroy (R9.1, ADR 0025): credited to their sender as a burn that
//! names it would be. It stands in the same books, so that the supply, the limits and the
//! queue know no difference.

use crate::{
    pallet::{Burns, Config, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, Peg},
    chain::AccountId,
    l1::OutPoint,
    messages::{MessageValue, ValueStanding},
    relay::L1BlockContext,
};
use frame_support::{
    traits::{Get, Time as _},
    weights::Weight,
};

impl<T: Config> MessageValue for Pallet<T> {
    fn credit(outpoint: OutPoint, value: u64, to: &AccountId, block: &L1BlockContext) -> bool {
        if let Some(known) = Burns::<T>::get(outpoint.txid, outpoint.vout) {
            Self::see_again(known, block);
            return false;
        }
        let mut record = BurnRecord {
            outpoint,
            peg: Peg::Burn,
            value,
            minted: 0,
            encoded_amount: value,
            recipient: Some(to.clone()),
            outcome: BurnOutcome::Deferred,
            l1_height: block.height,
            l1_hash: block.hash,
            block: Self::block(),
            time: T::Time::now(),
        };
        Self::accept(&mut record, &T::Parameters::get());
        Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
        true
    }

    fn standing(outpoint: &OutPoint) -> ValueStanding {
        let outcome = Burns::<T>::get(outpoint.txid, outpoint.vout).map(|record| record.outcome);
        match outcome {
            Some(BurnOutcome::Minted) => ValueStanding::Credited,
            // L1 has it no more: whoever made another transaction of it is heard by that.
            Some(BurnOutcome::Rejected(_) | BurnOutcome::Reverted) => ValueStanding::Rejected,
            Some(BurnOutcome::Deferred) | None => ValueStanding::Waits,
        }
    }

    fn max_credit_weight() -> Weight {
        T::WeightInfo::process_burn()
    }
}
