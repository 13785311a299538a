//! Trust spreads through the web, a few addresses a block.
//!
//! What changes an address's trust puts it into a queue. At the end of a block, with the
//! weight that is left, up to [`MAX_SPREAD`] addresses are taken out of it and computed
//! anew from the trust of those who speak of them. If what an address can pass on
//! changed, those it speaks of are queued.
//!
//! This ends: trust over *n* edges depends only on trust over *n* − 1, and three edges
//! are the most, so one change reaches at most 1 + 32 + 32² + 32³ addresses, and none
//! stands in the queue twice. When it is empty, all trust is a function of the seeds
//! and of what is kept, in whichever order it was heard (P10). Until then scores lag
//! behind what L1 says; they are still the same on all nodes.

use crate::{
    pallet::{
        Config, Event, L1Accounts, Pallet, TrustQueue, TrustQueueRange, TrustSeeds, Vertices,
    },
    types::{Heard, Vertex, MAX_SEEDS},
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::reputation::{
    export::{OnLinkedScore, ScoreCause},
    trust::{self, Opinion},
};
use frame_support::weights::Weight;
use sp_core::{bounded::BoundedVec, ConstU32, H160};

/// Most addresses whose trust is computed in one block.
pub const MAX_SPREAD: u64 = 4;

impl<T: Config> Pallet<T> {
    pub(crate) fn spread(remaining: Weight) -> Weight {
        let mut used = T::WeightInfo::spread_base();
        let (start, end) = TrustQueueRange::<T>::get();
        if start == end || !used.all_lte(remaining) {
            return used.min(remaining);
        }
        let each = T::WeightInfo::spread().saturating_add(T::OnLinkedScore::weight());
        for place in start..end.min(start.saturating_add(MAX_SPREAD)) {
            let after = used.saturating_add(each);
            if !after.all_lte(remaining) {
                break;
            }
            used = after;
            TrustQueueRange::<T>::mutate(|(start, _)| *start = place.saturating_add(1));
            if let Some(address) = TrustQueue::<T>::take(place) {
                Self::compute_trust(&address);
            }
        }
        used
    }

    pub(crate) fn do_set_trust_seeds(seeds: BoundedVec<H160, ConstU32<MAX_SEEDS>>) {
        let old = TrustSeeds::<T>::get();
        for address in old.iter().chain(&seeds) {
            Self::alter(address, |_| ());
        }
        TrustSeeds::<T>::put(seeds);
    }

    /// Computes the trust of one address and tells whom it concerns.
    pub(crate) fn compute_trust(address: &H160) {
        let mut vertex = Vertices::<T>::get(address);
        let opinions = Self::opinions(&mut vertex);
        let levels = trust::levels(TrustSeeds::<T>::get().contains(address), &opinions);
        let score = trust::score(&levels, &opinions);
        if levels.passed_on() != vertex.levels.passed_on() {
            for said in &vertex.outgoing {
                Self::alter(&said.subject, |_| ());
            }
        }
        if score != vertex.score {
            if let Some(account) = L1Accounts::<T>::get(address) {
                Self::change(&account, |standing| standing.trust = score);
                T::OnLinkedScore::on_linked_score(address, ScoreCause::Trust);
            }
            Self::deposit_event(Event::TrustComputed { address: *address, score });
        }
        (vertex.levels, vertex.score, vertex.queued) = (levels, score, false);
        if vertex.is_empty() {
            Vertices::<T>::remove(address);
        } else {
            Vertices::<T>::insert(address, vertex);
        }
    }

    // What is said of it, and notes what trust the speakers have.
    fn opinions(vertex: &mut Vertex) -> Vec<Opinion> {
        let Vertex { incoming, outgoing, .. } = vertex;
        let praises =
            |whom: &H160| outgoing.iter().any(|said| said.subject == *whom && said.weight > 0);
        let opinion = |heard: &mut Heard| {
            let speaker = Vertices::<T>::get(heard.speaker).levels;
            heard.trust = speaker.passed_on();
            Opinion {
                kind: heard.kind,
                weight: heard.weight,
                mutual: praises(&heard.speaker),
                speaker,
            }
        };
        incoming.iter_mut().map(opinion).collect()
    }
}
