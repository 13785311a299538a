//! What others may ask, and what must hold between blocks.

use crate::{
    pallet::{Config, Current, Members, Pallet, Totals},
    types::permille,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::apis::SequencerParticipation;
#[cfg(any(test, feature = "try-runtime"))]
use cascoin_l2_primitives::chain::AccountId;

impl<T: Config> Pallet<T> {
    /// How each member of the set in force took part, by index.
    pub fn participation() -> Vec<SequencerParticipation> {
        let members = Members::<T>::get();
        // Until the next block's inherent the counts are those of the set that left.
        let counted = Self::counted();
        let session = Current::<T>::get();
        let members = members.into_iter().map(|account| {
            let position = counted.iter().position(|known| *known == account);
            let tally = position.and_then(|index| session.tallies.get(index));
            let judged = if tally.is_some() { session.judged } else { 0 };
            let tally = tally.copied().unwrap_or_default();
            let before = Totals::<T>::get(&account).unwrap_or_default();
            let total = before.and(&tally, judged);
            let recent = |last: u32, now: u32| u64::from(last).saturating_add(now.into());
            SequencerParticipation {
                account,
                produced: total.produced,
                missed_proposals: total.missed_proposals,
                votes: total.votes,
                missed_votes: total.missed_votes,
                uptime_permille: permille(
                    recent(before.last_votes, tally.votes),
                    recent(before.last_judged, judged),
                ),
            }
        });
        members.collect()
    }

    /// What must hold between blocks: a tally for each member of the set that signs,
    /// no more votes than blocks, in the session and in what is not judged yet, and totals of
    /// members only.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let members = Members::<T>::get();
        let outgoing = crate::pallet::Outgoing::<T>::get().map(|(_, set)| set);
        let session = Current::<T>::get();
        if session.tallies.len() != outgoing.as_ref().unwrap_or(&members).len() {
            return Err("there is not one tally for each sequencer");
        }
        if session.tallies.iter().any(|tally| tally.votes > session.judged) {
            return Err("somebody signed more blocks than there are");
        }
        Self::check_absences(session.tallies.len())?;
        let known = |account: &AccountId| {
            members.contains(account) || outgoing.as_ref().is_some_and(|set| set.contains(account))
        };
        if !Totals::<T>::iter_keys().all(|account| known(&account)) {
            return Err("somebody is counted who is not in the set");
        }
        if Totals::<T>::iter_values().any(|total| total.unjudged.votes > total.unjudged.judged) {
            return Err("somebody is to be judged by more votes than blocks");
        }
        if crate::pallet::Noted::<T>::exists() {
            return Err("a block's mark outlived it");
        }
        Ok(())
    }
}
