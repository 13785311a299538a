//! Taking over from a set that does nothing (R17.6, ADR 0035).
//!
//! Others go on from the last block of a set that is gone, stands still, or keeps L1 from being
//! attested. Who they are was signed by them and accepted by operators; here they get the
//! seats, and whoever is not among them loses its own, appointed or not: it had its part in a
//! set that did nothing, and with a seat it would be back with the next sessions. All other
//! candidates must be vouched for by the new set, whether they had seats or only stood: a node
//! that is gone is not to get a seat by what a set said of it that is gone, too. Who is out for
//! ever and kept its seat only because too few would have been left is gone. Seats that are
//! free then are drawn when the epoch ends; before that nobody could stand in a draw.

use crate::{
    candidates::{Attestation, Candidate},
    election,
    pallet::{
        ActiveSequencers, Banned, BarredKeys, Candidates, Clock, Config, Elected, Event,
        ForcedRotations, Members, Pallet, PendingDraw, SeatsFreed,
    },
    revocation::RegisteredKeys,
    session, Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::Eligibility,
    chain::{AccountId, MAX_SEQUENCERS},
    hand_over::Successor,
};
use frame_support::traits::Get;
use sp_core::ed25519;

impl<T: Config> Pallet<T> {
    /// Least and most accounts of a set.
    pub fn set_size() -> (u32, u32) {
        let least = u32::try_from(session::least::<T>()).unwrap_or(u32::MAX);
        (least, T::Parameters::get().max_sequencers.min(MAX_SEQUENCERS))
    }

    /// The relay key of an account that may go on: it has a seat, or is an attested candidate
    /// that could be elected, is not out for ever, and has keys that are not barred.
    pub fn successor_key(account: &AccountId) -> Option<ed25519::Public> {
        Self::key_and_weight(account).map(|(relay, _)| relay)
    }

    /// All who may go on, by account.
    pub fn successors() -> Vec<Successor> {
        let seats = session::seated::<T>(&Members::<T>::get()).into_iter();
        let mut accounts: Vec<AccountId> = seats.map(|seat| seat.account).collect();
        accounts.extend(Candidates::<T>::iter_keys());
        accounts.sort();
        accounts.dedup();
        let (known, active) = (Self::known_entities(), ActiveSequencers::<T>::get());
        let successor = |account: AccountId| {
            let (relay, weight) = Self::key_and_weight(&account)?;
            let entity = known.name(Self::entity_of(&account));
            let in_force = active.iter().any(|one| one.account == account);
            Some(Successor { account, entity, relay, weight, in_force })
        };
        accounts.into_iter().filter_map(successor).collect()
    }

    /// Gives all seats to these accounts, who may go on and are no more than a set can have:
    /// who has a seat keeps it, and the candidates among the others get one.
    ///
    /// MUST be followed by the end of the session, with them in the set that this puts into
    /// force. That end does nothing else, as one for revoked keys, unless the session ends
    /// with the block anyway; none is to come early after it, since no revoked key is left in
    /// the set.
    pub fn succeed(accounts: &[AccountId]) {
        let goes_on = |account: &AccountId| accounts.contains(account);
        let stays = |seat: &Member| goes_on(&seat.account);
        let lost: Vec<AccountId> = session::seated::<T>(&Members::<T>::get())
            .into_iter()
            .filter(|seat| !stays(seat))
            .map(|seat| seat.account)
            .collect();
        let newcomers: Vec<Member> = accounts
            .iter()
            .filter(|account| Self::seat_weight(account).is_none())
            .filter_map(|account| {
                let weight = Self::weight_without_seat(account)?;
                Some(Member { account: account.clone(), weight })
            })
            .collect();
        Members::<T>::mutate(|members| members.retain(&stays));
        Elected::<T>::mutate(|elected| {
            elected.retain(&stays);
            for newcomer in &newcomers {
                // No more go on than fit.
                let _ = elected.try_push(newcomer.clone());
            }
        });
        for Member { account, weight } in newcomers {
            Candidates::<T>::mutate(&account, |stored| {
                if let Some(candidate) = stored {
                    candidate.weight = weight;
                }
            });
            Self::deposit_event(Event::Seated { account });
        }
        // Whoever did not consent may be as gone as the old set, whatever was known of it: a few
        // of these with seats would cost the new set its quorum. So no word of the old set
        // counts, be it half given, and no lot that was to fall on such.
        PendingDraw::<T>::kill();
        SeatsFreed::<T>::kill();
        let attestation = Attestation::Waiting(Self::wait(Clock::<T>::get()));
        let others = Candidates::<T>::iter().filter(|(account, _)| !goes_on(account));
        for (account, candidate) in others.collect::<Vec<_>>() {
            if Banned::<T>::contains_key(&account) {
                Candidates::<T>::remove(&account);
            } else if !matches!(candidate.attestation, Attestation::Waiting(_)) {
                let attestation = attestation.clone();
                Candidates::<T>::insert(&account, Candidate { attestation, ..candidate });
            }
        }
        for account in lost {
            Self::deposit_event(Event::Removed { account });
        }
        // Those who go on do with the keys that they registered last, and these are good. What
        // is barred of theirs are keys from before, which would have them planned out of the
        // next set.
        BarredKeys::<T>::mutate(|all| all.retain(|key| !goes_on(&key.account)));
        ForcedRotations::<T>::mutate(|ends| ends.due = 1);
    }

    /// Relay key and ranking weight of an account that may go on.
    fn key_and_weight(account: &AccountId) -> Option<(ed25519::Public, u64)> {
        if Banned::<T>::contains_key(account) {
            return None;
        }
        let relay = T::Keys::registered(account)?;
        if Self::is_barred(account, &relay) {
            return None;
        }
        let weight = Self::seat_weight(account).or_else(|| Self::weight_without_seat(account))?;
        Some((relay, weight))
    }

    /// Ranking weight of an account that has a seat.
    fn seat_weight(account: &AccountId) -> Option<u64> {
        let seats = session::seated::<T>(&Members::<T>::get());
        seats.into_iter().find(|seat| seat.account == *account).map(|seat| seat.weight)
    }

    /// Weight of a candidate that could be elected, as a draw would have it now.
    fn weight_without_seat(account: &AccountId) -> Option<u64> {
        let candidate = Candidates::<T>::get(account)?;
        if !matches!(candidate.attestation, Attestation::Given { .. }) {
            return None;
        }
        let Eligibility { score, stake, suffices, .. } = Self::eligibility(account);
        suffices.then(|| election::weight(score, stake, T::Parameters::get().decimals))
    }
}
