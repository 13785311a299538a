//! Taking over from a set of sequencers that does nothing (R17.6, ADR 0035).
//!
//! It is the first thing that a block does, before Aura, Authorship and whoever notes the set or
//! the author, so that they find those who make the block. What they noted when the block before
//! ended is that the old set makes this one; the pallets that keep such a note are told here:
//! - **Session** ends one, with the new set as the planned one, so that pallet-session, Aura,
//!   GRANDPA and the registry follow in the way in which they always do. That this block ends no
//!   other one is up to `Sessions`.
//! - **Rewards** ends its session with the block before: it begins the block behind this, and
//!   must find the author's seat. Not while its books are those of a past block: a recovery
//!   begins them with the set in force when it has mended them.
//! - **Participation**: the old set's signatures are those of the parent, and the author and
//!   who led in vain are the new set's.
//! - **TimestampGuard** says which set an offence was in.
//!
//! Others need nothing: L1Relay, ReputationExport and Recovery compare the id of the votes that
//! they have with the one in force, L1Relay before its votes say anything of the time;
//! Equivocation notes the set at the end of the block, where it is the one that signs the block;
//! Compensation and Liveness measure time, and know no set; and ForcedInclusion asks the
//! author, but in this block nobody, since there is no room in it.
//!
//! While a recovery runs the stakes that say who may go on are those of a past block, or on
//! their way to it: so it is with all elections then. Everybody reads the same.

use super::{consensus::SetId, recovery::catch_up};
use crate::{
    AccountId, Executive, Grandpa, Participation, Recovery, Rewards, Runtime, SequencerRegistry,
    Session, SessionKeys, System, VERSION,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    chain::SequencerSet,
    hand_over::{HandOver, HandOverError, Successor},
};
use frame_support::traits::{Get, OnFinalize};
use pallet_hand_over::Succession;
use sp_core::ed25519;
use sp_runtime::Digest;

impl pallet_hand_over::Config for Runtime {
    type Succession = Successors;
    type WeightInfo = crate::weights::pallet_hand_over::WeightInfo<Runtime>;
}

/// The registry's seats, and the pallets that follow them.
pub struct Successors;

impl Succession for Successors {
    fn set_id() -> u64 {
        SetId::get()
    }

    fn size() -> (u32, u32) {
        SequencerRegistry::set_size()
    }

    fn successor_key(account: &AccountId) -> Option<ed25519::Public> {
        SequencerRegistry::successor_key(account)
    }

    fn successors() -> Vec<Successor> {
        SequencerRegistry::successors()
    }

    fn succeed(accounts: &[AccountId], set_id: u64) {
        SequencerRegistry::succeed(accounts);
        end_session(accounts, set_id);
        if !Recovery::is_frozen() {
            Rewards::set_was_replaced();
        }
        Participation::follow();
        pallet_timestamp_guard::LastSetId::<Runtime>::put(set_id);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn worst_case(relay: ed25519::Public) -> Vec<AccountId> {
        worst_case::make(relay)
    }
}

/// Puts these accounts into force with the keys that they registered last, as the set with
/// this id.
fn end_session(accounts: &[AccountId], set_id: u64) {
    use pallet_grandpa::{CurrentSetId, PendingChange, SetIdSession, Stalled};
    use pallet_session::{NextKeys, QueuedChanged, QueuedKeys};
    // They have keys, or could not have consented, so nobody is left out.
    let keys = accounts.iter().filter_map(|account| {
        let keys: SessionKeys = NextKeys::<Runtime>::get(account)?;
        Some((account.clone(), keys))
    });
    QueuedKeys::<Runtime>::put(keys.collect::<Vec<_>>());
    QueuedChanged::<Runtime>::put(true);
    // GRANDPA counts the id up as it schedules the change, and has none scheduled: it is in
    // force with the block that schedules it. Nobody can have it force one.
    PendingChange::<Runtime>::kill();
    Stalled::<Runtime>::kill();
    // It would look for that under the id right below, which may be no set's.
    SetIdSession::<Runtime>::remove(CurrentSetId::<Runtime>::get());
    CurrentSetId::<Runtime>::put(set_id.saturating_sub(1));
    Session::rotate_session();
}

/// The set that a hand-over puts into force behind the block that the state is of: as the
/// block does that carries it, up to there, and to GRANDPA's part at its end, without which its
/// keys are the old ones. All of it is undone, since it is a query.
///
/// # Errors
/// Why the state does not take it.
pub(crate) fn set_behind(hand_over: &HandOver) -> Result<SequencerSet, HandOverError> {
    let base = &hand_over.base;
    if base.number != System::block_number() {
        return Err(HandOverError::WrongBlock);
    }
    let now = base.number.checked_add(1).ok_or(HandOverError::WrongBlock)?;
    // Where the base sets new code, the next block begins with what that changes.
    let last = frame_system::LastRuntimeUpgrade::<Runtime>::get();
    if last.is_none_or(|last| last.was_upgraded(&VERSION)) {
        Executive::execute_on_runtime_upgrade();
    }
    System::initialize(&now, &base.hash, &Digest { logs: vec![hand_over.item()] });
    // What a block punishes first may cost somebody the stake that it needs.
    if !Recovery::is_frozen() {
        catch_up();
    }
    pallet_hand_over::Pallet::<Runtime>::enact(hand_over)?;
    Grandpa::on_finalize(now);
    Ok(SequencerRegistry::sequencer_set())
}

#[cfg(feature = "runtime-benchmarks")]
mod worst_case {
    //! A full set that loses all its seats to as many candidates, with as many others as there
    //! can be, all of them vouched for; half of those who lose seats are banned. As many keys as
    //! can be are barred, all revoked, of both sets. In the genesis to measure with, account `n`
    //! has an id of the byte `n`, the first 64 are the set and have keys, and neither reputation
    //! nor stake is asked for.

    use super::*;
    use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
    use codec::Encode;
    use frame_support::BoundedVec;
    use pallet_sequencer_registry::{
        barred::{BarredKey, MAX_BARRED},
        candidates::{Attestation, Candidate, MAX_CANDIDATES, MAX_ENDPOINT_BYTES},
        Banned, BarredKeys, Candidates, Member, Members,
    };

    fn account(number: u32) -> AccountId {
        AccountId::new([number as u8; 32])
    }

    pub(super) fn make(relay: ed25519::Public) -> Vec<AccountId> {
        for account in (0..MAX_CANDIDATES).map(account) {
            let candidate = Candidate {
                announced_at: 1,
                controller: account.clone(),
                confirmed: true,
                endpoint: BoundedVec::truncate_from(vec![b'/'; MAX_ENDPOINT_BYTES as usize]),
                weight: 0,
                attestation: Attestation::Given { since: 0 },
            };
            Candidates::<Runtime>::insert(&account, candidate);
        }
        let others = MAX_SEQUENCERS..MAX_SEQUENCERS.saturating_mul(2);
        for banned in others.clone().step_by(2).map(account) {
            Banned::<Runtime>::insert(banned, ());
        }
        // None of those that are registered, so all may go on who are to.
        let barred = (0..MAX_BARRED).map(|number| BarredKey {
            account: account(number % MAX_SEQUENCERS.saturating_mul(2)),
            relay: ed25519::Public::from_raw(sp_io::hashing::blake2_256(&number.encode())),
            revoked: true,
        });
        BarredKeys::<Runtime>::put(BoundedVec::truncate_from(barred.collect::<Vec<_>>()));
        let others = others.map(|number| Member { account: account(number), weight: 1 });
        Members::<Runtime>::put(BoundedVec::truncate_from(others.collect::<Vec<_>>()));
        let accounts: Vec<AccountId> = (0..MAX_SEQUENCERS).map(account).collect();
        for account in &accounts {
            pallet_session::NextKeys::<Runtime>::mutate(account, |keys| {
                if let Some(keys) = keys {
                    keys.relay = relay.into();
                }
            });
        }
        accounts
    }
}
