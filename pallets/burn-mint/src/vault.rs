//! Deposits in the vault on L1 (R4.1): credited by the books, the limits and the queue of
//! burns, and counted apart, since their coins still exist.

use crate::pallet::{Burns, Config, Pallet};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, Peg},
    l1::{
        deposit::{self, Deposit},
        OutPoint,
    },
    relay::L1BlockContext,
};
use frame_support::traits::{Get, Time as _};

impl<T: Config> Pallet<T> {
    /// Handles one deposit.
    pub(crate) fn process_deposit(
        outpoint: OutPoint,
        deposit: &Deposit<'_>,
        block: &L1BlockContext,
    ) {
        if let Some(known) = Burns::<T>::get(outpoint.txid, outpoint.vout) {
            return Self::see_again(known, block);
        }
        let parameters = T::Parameters::get();
        let judged = deposit::judge(deposit, parameters.chain_id, T::VaultScript::get().as_ref());
        let mut record = BurnRecord {
            outpoint,
            peg: Peg::Vault,
            value: deposit.value,
            minted: 0,
            encoded_amount: deposit.value,
            recipient: deposit::read(deposit.body).ok().map(|recipient| recipient.account()),
            outcome: BurnOutcome::Deferred,
            l1_height: block.height,
            l1_hash: block.hash,
            block: Self::block(),
            time: T::Time::now(),
        };
        match judged {
            Ok(_) => Self::accept(&mut record, &parameters),
            Err(reason) => Self::refuse(&mut record, reason),
        }
        Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
    }
}
