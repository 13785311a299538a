//! Transactions that stand on L1 are included, whatever sequencers want.

use super::{
    consensus::BlockAuthor,
    messages::PublicWaits,
    recovery::{note_applied, tell_fallen, FORCED_READS, FORCED_WRITES},
    system::MAX_BLOCK_REF_TIME,
};
use crate::{
    AccountId, Balances, ChainParameters, Moment, RateLimit, Runtime, RuntimeOrigin,
    SequencerRegistry, System, Timestamp, TransactionPayment, UncheckedExtrinsic,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::apis::{ForcedCensor, ForcedEntry, ForcedStatus};
use codec::DecodeLimit;
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, GetDispatchInfo, Pays},
    migrations::MultiStepMigrator,
    parameter_types,
    storage::{transactional::with_transaction_opaque_err, TransactionOutcome},
    traits::{
        fungible::Inspect,
        tokens::{Fortitude, Preservation},
        Get,
    },
    weights::{constants::ExtrinsicBaseWeight, Weight},
    MAX_EXTRINSIC_DEPTH,
};
use pallet_forced_inclusion::{
    ApplyTransaction, CensorRecords, Counts, Entries, Outcome, Queue, Readiness, Ticket,
};
use sp_runtime::{
    generic::ExtrinsicFormat,
    traits::{Checkable, DispatchTransaction},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchResult,
};

/// The version of the extensions of a signed transaction.
const EXTENSION_VERSION: u8 = 0;
/// What the extensions read of the state before they refuse a transaction, generously.
const CHECK_READS: u64 = 16;

/// What looking at a transaction that is heard reads of the state.
const TICKET_READS: u64 = 4;

/// Most entries of one answer.
const MAX_LISTED: u32 = 100;

parameter_types! {
    pub Deadline: Moment = ChainParameters::get().forced_inclusion_s.saturating_mul(1_000);
}

/// Applies a signed transaction as a block does: all that is checked of it there is
/// checked here, and of one that is refused nothing stays.
pub struct ApplySigned;

impl ApplyTransaction for ApplySigned {
    fn apply(encoded: &[u8]) -> Outcome {
        let Some(transaction) = decode(encoded) else { return Outcome::Invalid };
        let applied = with_transaction_opaque_err(|| match dispatch(transaction, encoded.len()) {
            Ok(result) => TransactionOutcome::Commit(Ok(result)),
            Err(refusal) => TransactionOutcome::Rollback(Err(refusal)),
        });
        // As at the end of a transaction: the next one begins with none of its weight given
        // back.
        frame_system::ExtrinsicWeightReclaimed::<Runtime>::kill();
        match applied {
            Ok(Ok(result)) => {
                // It stands in no body: should a recovery undo it, this is how it is known.
                if result.is_ok() {
                    note_applied(encoded);
                }
                Outcome::Applied(result)
            }
            Ok(Err(refusal)) => {
                let outcome = refused(refusal);
                if outcome != Outcome::NoRoom {
                    tell_fallen(encoded);
                }
                outcome
            }
            // Too many layers of storage transactions, which a block does not begin with.
            Err(()) => Outcome::NoRoom,
        }
    }

    fn max_check_weight() -> Weight {
        ExtrinsicBaseWeight::get().saturating_add(
            <Runtime as frame_system::Config>::DbWeight::get()
                .reads_writes(CHECK_READS.saturating_add(FORCED_READS), FORCED_WRITES),
        )
    }

    // Its signature is checked last, as it costs the most. One that is forged would be ready
    // again and again, and leaders would be asked for it instead of what they can include.
    fn ticket(encoded: &[u8]) -> Option<Ticket> {
        let transaction = decode(encoded)?;
        let info = transaction.get_dispatch_info();
        let weight = info.total_weight();
        if info.class != DispatchClass::Normal || weight.ref_time() > most_asked_for() {
            return None;
        }
        let checked = transaction.check(&frame_system::ChainContext::<Runtime>::default()).ok()?;
        let ExtrinsicFormat::Signed(signer, extension) = checked.format else { return None };
        Some(Ticket {
            signer,
            nonce: extension.6.nonce(),
            weight,
            length: u32::try_from(encoded.len()).ok()?,
            tip: extension.9.tip(),
        })
    }

    // Beside the signature, which the weight of an empty transaction has in it, the versions,
    // the era and the genesis that it is over, the chain's gas and what is free of charge.
    fn max_ticket_weight() -> Weight {
        ExtrinsicBaseWeight::get()
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads(TICKET_READS))
    }

    // The fee is the block's own, without the discount that its account may have.
    fn readiness(ticket: &Ticket) -> Readiness {
        let next = System::account_nonce(&ticket.signer);
        if next != ticket.nonce {
            return if next > ticket.nonce { Readiness::Over } else { Readiness::NotYet };
        }
        let info = DispatchInfo {
            call_weight: ticket.weight,
            extension_weight: Weight::zero(),
            class: DispatchClass::Normal,
            pays_fee: Pays::Yes,
        };
        let fee = TransactionPayment::compute_fee(ticket.length, &info, ticket.tip);
        let has = <Balances as Inspect<AccountId>>::reducible_balance(
            &ticket.signer,
            // As transactions: the account stays.
            Preservation::Preserve,
            Fortitude::Polite,
        );
        if has >= fee {
            Readiness::Ready
        } else {
            Readiness::NotYet
        }
    }

    // When the inherents are applied, all that is booked is of the mandatory class, and none
    // of it is the leader's choice: hooks as the block began, and inherents. If they left as
    // much as leaders are asked for at most, it had room. `on_idle` comes later, which takes
    // all that a leader leaves and is booked alike. In a block that ends a session there is
    // no room.
    fn had_room() -> bool {
        let taken = System::block_weight().get(DispatchClass::Mandatory).ref_time();
        taken.saturating_add(most_asked_for()) <= MAX_BLOCK_REF_TIME
    }
}

/// What leaders are asked for takes no more than half of what users have of a block, in
/// picoseconds, so that a block whose hooks were slow has room for it still.
fn most_asked_for() -> u64 {
    RateLimit::users_share() / 2
}

fn decode(encoded: &[u8]) -> Option<UncheckedExtrinsic> {
    UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &*encoded).ok()
}

/// Whether users' calls wait: in an emergency, while a recovery runs, until the chain opens
/// to them, and while a migration of several blocks goes on (a recovery that restores is the
/// only one there is today), whose pallets are no longer and not yet what calls expect.
pub struct Halted;

impl Get<bool> for Halted {
    fn get() -> bool {
        PublicWaits::get() || <Runtime as frame_system::Config>::MultiBlockMigrator::ongoing()
    }
}

/// The number of the epoch that runs; 0 on a chain without parameters, as FRAME builds in
/// tests.
pub struct Epoch;

impl Get<u32> for Epoch {
    fn get() -> u32 {
        let parameters = ChainParameters::get();
        let blocks = parameters.session_blocks.saturating_mul(parameters.epoch_sessions);
        System::block_number().checked_div(blocks).unwrap_or(0)
    }
}

fn dispatch(
    transaction: UncheckedExtrinsic,
    len: usize,
) -> Result<DispatchResult, TransactionValidityError> {
    let checked = transaction.check(&frame_system::ChainContext::<Runtime>::default())?;
    let info = checked.get_dispatch_info();
    let ExtrinsicFormat::Signed(signer, extension) = checked.format else {
        // What nobody signed brings its own authorisation, and the pool takes it from
        // anybody.
        return Err(InvalidTransaction::UnknownOrigin.into());
    };
    if info.class != DispatchClass::Normal {
        return Err(InvalidTransaction::Call.into());
    }
    let origin = RuntimeOrigin::from(Some(signer));
    let result =
        extension.dispatch_transaction(origin, checked.function, &info, len, EXTENSION_VERSION)?;
    Ok(result.map(|_| ()).map_err(|failed| failed.error))
}

fn refused(refusal: TransactionValidityError) -> Outcome {
    match refusal {
        TransactionValidityError::Invalid(InvalidTransaction::Stale) => Outcome::NonceUsed,
        TransactionValidityError::Invalid(InvalidTransaction::Payment) => Outcome::Unpayable,
        TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources) => Outcome::NoRoom,
        _ => Outcome::Invalid,
    }
}

/// What became of transactions that stood on L1, and at most `limit` of those that wait,
/// from a place on.
pub(crate) fn status(from: u64, limit: u32) -> ForcedStatus {
    let totals = Counts::<Runtime>::get();
    let places = Queue::<Runtime>::get();
    let begin = from.max(places.first);
    let end = begin.saturating_add(limit.min(MAX_LISTED).into()).min(places.next);
    let entry = |place: u64| {
        let waiting = Entries::<Runtime>::get(place)?;
        Some(ForcedEntry { place, hash: waiting.hash, due: waiting.due })
    };
    ForcedStatus {
        heard: totals.heard,
        included: totals.included,
        applied: totals.applied,
        dropped: totals.dropped,
        first: places.first,
        waiting: (begin..end).filter_map(entry).collect::<Vec<_>>(),
        censors: censors(),
    }
}

/// Who censored in the last month.
fn censors() -> Vec<ForcedCensor> {
    let mut records = CensorRecords::<Runtime>::get();
    records.forget(Timestamp::get());
    let censor = |one: pallet_forced_inclusion::Censor| ForcedCensor {
        account: one.account,
        transactions: one.transactions,
        occasions: one.occasions.into_iter().map(|occasion| occasion.at).collect(),
    };
    records.0.into_iter().map(censor).collect()
}

impl pallet_forced_inclusion::Config for Runtime {
    type Time = Timestamp;
    type ChainId = super::stake::ChainId;
    type Deadline = Deadline;
    type Halted = Halted;
    type Apply = ApplySigned;
    type Author = BlockAuthor;
    type Sequencers = SequencerRegistry;
    type Epoch = Epoch;
    type OnOffence = super::offences::Punishments;
    type WeightInfo = crate::weights::pallet_forced_inclusion::WeightInfo<Runtime>;
}
