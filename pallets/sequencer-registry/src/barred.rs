//! Keys that count for nothing but votes for blocks, from the block that finds out on.
//!
//! Who signed twice, and whose keys were revoked, stays in the set until the next ones
//! can do without it. Its votes may be needed until then, and BFT bears them; all else
//! that is signed with its keys counts for nothing: it leads no round, and neither its
//! relay votes nor its answers in polls are taken.
//!
//! It is the keys that are barred and not the account, so that new ones are not. They go
//! by the relay key that is registered together with them.

use crate::pallet::{ActiveSequencers, Banned, BarredKeys, Config, KeysKept, Pallet};
use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ed25519;

/// Keys that can be barred at one time: those of the set in force and of the next, and
/// those that the members of both and who has a seat besides have registered since.
pub const MAX_BARRED: u32 = 5 * MAX_SEQUENCERS;

/// Session keys of a sequencer that are barred.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BarredKey {
    /// Whose.
    pub account: AccountId,
    /// The relay key among them.
    pub relay: ed25519::Public,
    /// Whether they were revoked; else their owner signed twice.
    pub revoked: bool,
}

impl BarredKey {
    /// Whether these are the keys.
    pub fn is(&self, account: &AccountId, relay: &ed25519::Public) -> bool {
        self.account == *account && self.relay == *relay
    }
}

impl<T: Config> Pallet<T> {
    /// Whether the keys of an account with this relay key among them are barred.
    pub fn is_barred(account: &AccountId, relay: &ed25519::Public) -> bool {
        BarredKeys::<T>::get().iter().any(|barred| barred.is(account, relay))
    }

    /// Bars keys; `false` if they were before. Keys that are barred for signing twice
    /// can be revoked besides.
    pub(crate) fn bar_keys(key: BarredKey) -> bool {
        BarredKeys::<T>::mutate(|all| {
            let known = all.iter_mut().find(|one| one.is(&key.account, &key.relay));
            match known {
                Some(known) => {
                    let news = key.revoked && !known.revoked;
                    known.revoked |= key.revoked;
                    news
                }
                // There are no more than fit.
                None => all.try_push(key).is_ok(),
            }
        })
    }

    /// Forgets barred keys that nobody can use any more: they are neither in force nor in
    /// the next set, and if they were revoked, not registered either. Who signed twice is
    /// barred with whatever keys it has in the set.
    pub(crate) fn follow_barred(in_use: &[(AccountId, ed25519::Public)]) {
        let known = BarredKeys::<T>::get();
        let mut kept = known.clone();
        kept.retain(|one| {
            in_use.iter().any(|(account, relay)| one.is(account, relay))
                || (one.revoked && Self::stay_registered(&one.account, &one.relay))
        });
        if kept != known {
            BarredKeys::<T>::put(kept);
        }
        for active in ActiveSequencers::<T>::get() {
            let account = &active.account;
            if Banned::<T>::contains_key(account) && !KeysKept::<T>::contains_key(account) {
                let (account, relay) = (active.account, active.relay);
                Self::bar_keys(BarredKey { account, relay, revoked: false });
            }
        }
    }

    /// Whether a sequencer of the set in force is barred, by index.
    pub(crate) fn barred_in_force() -> impl Iterator<Item = bool> {
        let barred = BarredKeys::<T>::get();
        ActiveSequencers::<T>::get()
            .into_iter()
            .map(move |one| barred.iter().any(|key| key.is(&one.account, &one.relay)))
    }
}
