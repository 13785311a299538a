//! Draws of seats, and what takes a seat away.

use crate::{
    candidates::{Attestation, Candidate, Contender, Draw, Standing},
    election,
    pallet::{Banned, Candidates, Config, Elected, Event, Members, Pallet, PendingDraw},
    session::{can_form_a_set, seated},
    Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::Eligibility,
    chain::{AccountId, MAX_SEQUENCERS},
};
use frame_support::{
    traits::{Contains, Get},
    BoundedVec,
};
use sp_runtime::SaturatedConversion;
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
    /// Announces a draw: who stands in it, and with which weight, is settled now, chance
    /// comes later. One that waits already stays; one of all seats is announced after it.
    pub(crate) fn schedule_draw(session: SessionIndex, all: bool, without: &[AccountId]) {
        if let Some(mut waits) = PendingDraw::<T>::get() {
            // One of the free seats is not to swallow that of the epoch.
            if all && !waits.all && !waits.all_due {
                waits.all_due = true;
                PendingDraw::<T>::put(waits);
            }
            return;
        }
        // Who keeps a seat takes part in no lots.
        let kept = if all { Default::default() } else { Elected::<T>::get() };
        let known = Self::known_entities();
        let contenders = Candidates::<T>::iter()
            .filter(|(account, candidate)| {
                matches!(candidate.attestation, Attestation::Given { .. })
                    && !without.contains(account)
                    && !kept.iter().any(|seat| seat.account == *account)
            })
            .filter_map(|(account, candidate)| {
                let Eligibility { score, stake, suffices, .. } = Self::eligibility(&account);
                let entity = known.name(candidate.entity(&account).clone());
                suffices.then_some(Contender { account, entity, score, stake })
            })
            .collect();
        let standing = election::weigh(contenders, T::Parameters::get().decimals);
        // There are no more candidates than fit.
        let standing = BoundedVec::truncate_from(standing);
        PendingDraw::<T>::put(Draw { wait: Self::wait(session), all, all_due: false, standing });
    }

    /// Draws the seats of the announced draw, once its chance is there. Nothing that happens
    /// after the announcement changes on whom a lot falls, for then chance may be known: it
    /// only costs seats, of those who do not stand any more or whose entity has its own. If
    /// one of all seats waits for it, that is announced now.
    pub(crate) fn try_draw(session: SessionIndex) {
        let Some(draw) = PendingDraw::<T>::get() else { return };
        let Some(seed) = Self::roll(draw.wait, session) else { return };
        PendingDraw::<T>::kill();
        let all_due = draw.all_due;
        Self::hold_draw(draw, &seed);
        if all_due {
            Self::schedule_draw(session, true, &[]);
        }
    }

    fn hold_draw(draw: Draw, seed: &[u8; 32]) {
        let members = Members::<T>::get();
        let before = Elected::<T>::get();
        // Who is out for ever has kept its seat only as long as too few would be left.
        let stays = |seat: &&Member| !draw.all && !Banned::<T>::contains_key(&seat.account);
        let kept: Vec<Member> = before.iter().filter(stays).cloned().collect();
        let most = T::Parameters::get().max_sequencers.min(MAX_SEQUENCERS) as usize;
        let seats = most.saturating_sub(members.len()).saturating_sub(kept.len());
        // As links and entities are now; those of the announcement count as well.
        let known = Self::known_entities();
        let entity_of = |account: &AccountId| known.name(Self::entity_of(account));
        let drawn: Vec<(AccountId, Standing)> = election::order(seed, &draw.standing)
            .into_iter()
            .filter(|one| !kept.iter().any(|seat| seat.account == one.account))
            .filter(|one| Self::still_stands(&one.account))
            .map(|one| (entity_of(&one.account), one))
            .collect();
        if drawn.is_empty() && before.is_empty() {
            return;
        }
        for (_, Standing { account, weight, .. }) in &drawn {
            Candidates::<T>::mutate(account, |stored| {
                if let Some(candidate) = stored {
                    candidate.weight = *weight;
                }
            });
        }
        let taken = members.iter().chain(&kept);
        let taken = taken.map(|seat| entity_of(&seat.account));
        let elected = election::elect(&drawn, seats, &taken.collect::<Vec<_>>());
        let elected = elected.into_iter().map(|(account, weight)| Member { account, weight });
        let elected = Self::fill_up(kept.into_iter().chain(elected).collect(), &before);
        Self::deposit_event(Event::ElectionHeld { elected: elected.len().saturated_into() });
        // At most as many as fit, so nothing is cut.
        Elected::<T>::put(BoundedVec::truncate_from(elected));
    }

    /// Whether a contender can still be elected when the draw is held.
    fn still_stands(account: &AccountId) -> bool {
        let attested = Candidates::<T>::get(account)
            .is_some_and(|one| matches!(one.attestation, Attestation::Given { .. }));
        attested && Self::eligibility(account).suffices && T::HasKeys::contains(account)
    }

    /// With too few for a set, those of before stay, as many as it takes (R2b.8).
    fn fill_up(mut elected: Vec<Member>, before: &[Member]) -> Vec<Member> {
        let members = Members::<T>::get();
        let (barred, usable): (Vec<&Member>, Vec<_>) =
            before.iter().partition(|seat| Self::eligibility(&seat.account).banned);
        for old in usable.into_iter().chain(barred) {
            let all: Vec<_> = members.iter().chain(&elected).cloned().collect();
            if can_form_a_set::<T>(&all) {
                break;
            }
            if !elected.iter().any(|seat| seat.account == old.account) {
                elected.push(old.clone());
            }
        }
        elected
    }

    /// Whose seats an account takes, as it declares.
    pub(crate) fn entity_of(account: &AccountId) -> AccountId {
        Candidates::<T>::get(account)
            .map_or_else(|| account.clone(), |one| one.entity(account).clone())
    }

    /// Takes the seat of a candidate, if it has one and enough others are left;
    /// `false` if they are not.
    pub(crate) fn take_seat(account: &AccountId) -> bool {
        let mut elected = Elected::<T>::get();
        let before = elected.len();
        elected.retain(|seat| seat.account != *account);
        if elected.len() == before {
            return true;
        }
        let left: Vec<_> = Members::<T>::get().into_iter().chain(elected.clone()).collect();
        if !can_form_a_set::<T>(&left) {
            return false;
        }
        Elected::<T>::put(elected);
        true
    }

    /// Removes a member, if enough others are left. Returns whether it did.
    pub(crate) fn dismiss(account: &AccountId) -> bool {
        Members::<T>::mutate(|members| {
            let mut left = members.clone();
            left.retain(|member| member.account != *account);
            let goes = left.len() < members.len() && can_form_a_set::<T>(&seated::<T>(&left));
            if goes {
                *members = left;
            }
            goes
        })
    }

    /// A candidate whose attestation is void is asked about again.
    pub(crate) fn ask_again(account: &AccountId, candidate: Candidate, session: SessionIndex) {
        let attestation = Attestation::Waiting(Self::wait(session));
        Candidates::<T>::insert(account, Candidate { attestation, ..candidate });
    }
}
