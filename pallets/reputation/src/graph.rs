//! Who trusts whom on L1: what is kept of it, and what has to go.
//!
//! A statement stands twice, with its subject and with its speaker, so that each finds
//! what it needs in one value. All is bounded: [`MAX_HEARD`] statements about an address
//! and [`MAX_SAID`] of one.
//!
//! Where too many are made of one speaker, the smallest bond goes. Where too many are made
//! about an address, the one goes whose speaker has the least trust, level by level, and
//! of equals the smallest bond: else the richest could silence an address's friends, by
//! addresses that share what little trust they have. The statements of all seeds have
//! room, so nobody pushes one of them out. Ties are broken by the addresses.
//!
//! A speaker's trust is the one that it had when it was heard, or when the address was
//! computed last. So where there are too many, what is kept depends on the order in which
//! they are made; elsewhere nothing does.

use crate::{
    pallet::{Config, Event, Pallet, TrustQueue, TrustQueueRange, Vertices},
    types::{Heard, Ignored, Said, Vertex, MAX_HEARD, MAX_SAID},
    WeightInfo,
};
use cascoin_l2_primitives::{
    l1::{cvm::TrustKind, signed_message::key_hash},
    relay::{L1BlockContext, L1Event, OnL1Event, TrustStatement},
    reputation::trust::required_bond,
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H160;

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        match event {
            L1Event::Trust(statement) => {
                let TrustStatement { speaker, subject, .. } = *statement;
                let heard = Self::hear(statement);
                Self::note_act(&speaker, block, heard.is_ok());
                Self::deposit_event(match heard {
                    Ok(()) => Event::TrustStated { statement: *statement },
                    Err(reason) => Event::TrustIgnored { speaker, subject, reason },
                });
            }
            L1Event::KeyRevocation { signer, .. } => Self::note_act(signer, block, false),
            L1Event::Message { sender, .. } => {
                Self::note_act(&H160(key_hash(&sender.0)), block, false);
            }
            // Nobody is seen to have signed these: an owner only gets coins back.
            L1Event::Burn { .. }
            | L1Event::Stake { .. }
            | L1Event::ForcedTransaction { .. }
            | L1Event::ChainRegistration { .. }
            | L1Event::VaultDeposit { .. } => (),
        }
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::hear().saturating_add(Self::max_act_weight())
    }
}

impl<T: Config> Pallet<T> {
    /// Takes note of a statement, in place of what its speaker said in the same way of
    /// the same subject before. One of weight 0 only takes that back.
    pub(crate) fn hear(statement: &TrustStatement) -> Result<(), Ignored> {
        let TrustStatement { kind, speaker, subject, weight, bond } = *statement;
        if speaker == subject {
            return Err(Ignored::OfItself);
        }
        if bond < required_bond(weight, T::Parameters::get().decimals) {
            return Err(Ignored::SmallBond);
        }
        Self::forget(&speaker, &subject, kind);
        if weight == 0 {
            return Ok(());
        }
        let (from, to) = (Vertices::<T>::get(speaker), Vertices::<T>::get(subject));
        let heard = Heard { speaker, kind, weight, bond, trust: from.levels.passed_on() };
        let said = Said { subject, kind, weight, bond };
        let (rank_heard, rank_said) = (|heard: &Heard| heard.rank(), |said: &Said| said.rank());
        let least_heard = room(&to.incoming, MAX_HEARD, &heard, rank_heard)?.copied();
        let least_said = room(&from.outgoing, MAX_SAID, &said, rank_said)?.copied();
        if let Some(least) = least_heard {
            Self::forget(&least.speaker, &subject, least.kind);
        }
        if let Some(least) = least_said {
            Self::forget(&speaker, &least.subject, least.kind);
        }
        // There is room: it was made, or one of the two just forgotten made it.
        Self::alter(&subject, |vertex| {
            let _ = vertex.incoming.try_push(heard);
        });
        Self::alter(&speaker, |vertex| {
            let _ = vertex.outgoing.try_push(said);
        });
        Ok(())
    }

    fn forget(speaker: &H160, subject: &H160, kind: TrustKind) {
        let stands = |said: &Said| said.subject == *subject && said.kind == kind;
        if !Vertices::<T>::get(speaker).outgoing.iter().any(stands) {
            return;
        }
        Self::alter(speaker, |vertex| vertex.outgoing.retain(|said| !stands(said)));
        Self::alter(subject, |vertex| {
            vertex.incoming.retain(|heard| heard.speaker != *speaker || heard.kind != kind);
        });
    }

    /// Changes what is known of an address, whose trust is then computed anew.
    pub(crate) fn alter(address: &H160, change: impl FnOnce(&mut Vertex)) {
        let mut vertex = Vertices::<T>::get(address);
        change(&mut vertex);
        if !vertex.queued {
            vertex.queued = true;
            TrustQueueRange::<T>::mutate(|(_, end)| {
                TrustQueue::<T>::insert(*end, address);
                *end = end.saturating_add(1);
            });
        }
        Vertices::<T>::insert(address, vertex);
    }
}

#[cfg(any(test, feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
    /// What must hold of the web of trust between blocks: each statement stands with
    /// both, and who waits is in the queue, once.
    pub(crate) fn check_graph() -> Result<(), &'static str> {
        let (mut heard, mut said, mut queued) = (0usize, 0usize, 0u64);
        for (address, vertex) in Vertices::<T>::iter() {
            if vertex.is_empty() {
                return Err("an address is kept of which nothing is known");
            }
            heard = heard.saturating_add(vertex.incoming.len());
            said = said.saturating_add(vertex.outgoing.len());
            queued = queued.saturating_add(vertex.queued.into());
            for Said { subject, kind, weight, bond } in vertex.outgoing {
                let there = Vertices::<T>::get(subject).incoming.iter().any(|heard| {
                    heard.speaker == address
                        && (heard.kind, heard.weight, heard.bond) == (kind, weight, bond)
                });
                if !there || weight == 0 || subject == address {
                    return Err("a statement does not stand with its subject");
                }
            }
        }
        if heard != said {
            return Err("a statement does not stand with its speaker");
        }
        let (start, end) = TrustQueueRange::<T>::get();
        let waits = |(place, address): (u64, H160)| {
            (start..end).contains(&place) && Vertices::<T>::get(address).queued
        };
        if !TrustQueue::<T>::iter().all(waits) || end.saturating_sub(start) != queued {
            return Err("who waits is not in the queue");
        }
        Ok(())
    }
}

/// What must go so that `new` has room: nothing, or the one of the lowest rank.
fn room<'a, S, R: Ord>(
    all: &'a [S],
    most: u32,
    new: &S,
    rank: impl Fn(&S) -> R,
) -> Result<Option<&'a S>, Ignored> {
    if all.len() < most as usize {
        return Ok(None);
    }
    let least = all.iter().min_by_key(|statement| rank(statement));
    match least {
        Some(least) if rank(least) < rank(new) => Ok(Some(least)),
        _ => Err(Ignored::NoRoom),
    }
}
