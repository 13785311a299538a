//! An account of then and of now in one.
//!
//! Its money is then's. What it signed and did is now's: a nonce never goes back, so that
//! nothing that stood in a block can be sent in again. An account that signed something since
//! gets a reference that nobody takes back: reaped, its nonce would begin anew. (So it is with
//! one from which a dropped burn is taken back, `pallet_burn_mint`.)
//!
//! Who refers to it is counted anew, since of those who do some went back and some did not:
//! - pallet-balances *consumes* it once while anything is reserved or frozen
//!   (`try_mutate_account`), and *provides* it once while it has the smallest balance;
//! - pallet-session consumes it once while it has session keys, which stay.

use crate::{AccountData, AccountId, Nonce, Runtime};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use frame_system::AccountInfo;

type Account = AccountInfo<Nonce, AccountData>;

/// What the entry of an account gets, as the state has entries. One that nobody can read,
/// which there is not, is none.
pub(super) fn merge(
    who: &AccountId,
    old: Option<Vec<u8>>,
    now: Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let read =
        |entry: Option<Vec<u8>>| entry.and_then(|bytes| Account::decode(&mut &bytes[..]).ok());
    let has_keys = pallet_session::NextKeys::<Runtime>::contains_key(who);
    of_both(read(old), read(now), has_keys).map(|account| account.encode())
}

fn of_both(old: Option<Account>, now: Option<Account>, has_keys: bool) -> Option<Account> {
    let mut account = match (old, now) {
        (None, None) => return None,
        // Reaped since.
        (Some(old), None) => old,
        (Some(old), Some(now)) => {
            let signed = now.nonce != old.nonce;
            Account {
                nonce: now.nonce.max(old.nonce),
                providers: old.providers.saturating_add(u32::from(signed)),
                data: AccountData { activity: now.data.activity, ..old.data },
                ..old
            }
        }
        // It came since. Nothing of its money is left.
        (None, Some(now)) => {
            let data = AccountData { activity: now.data.activity, ..AccountData::default() };
            let known = now.nonce > 0 || data != AccountData::default() || has_keys;
            if !known {
                return None;
            }
            Account { nonce: now.nonce, providers: 1, data, ..Account::default() }
        }
    };
    let of_balance = account.data.reserved > 0 || account.data.frozen > 0;
    account.consumers = u32::from(of_balance).saturating_add(u32::from(has_keys));
    Some(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::reputation::Activity;

    fn account(nonce: Nonce, free: u128, reserved: u128) -> Account {
        let data = AccountData { free, reserved, ..AccountData::default() };
        let consumers = u32::from(reserved > 0);
        Account { nonce, consumers, providers: 1, sufficients: 0, data }
    }

    fn active(account: Account) -> Account {
        let activity = Activity { succeeded: 3, ..Activity::default() };
        Account { data: AccountData { activity, ..account.data }, ..account }
    }

    #[test]
    fn p20_money_goes_back_and_nonce_and_activity_do_not() {
        let (old, now) = (account(4, 100, 0), active(account(6, 30, 50)));
        let both = of_both(Some(old.clone()), Some(now.clone()), false).expect("it is there");
        assert_eq!((both.nonce, both.data.free, both.data.reserved), (6, 100, 0));
        assert_eq!(both.data.activity, now.data.activity);
        // It signed, so it stays whatever becomes of its money.
        assert_eq!((both.providers, both.consumers), (2, 0));
        let quiet = of_both(Some(old.clone()), Some(account(4, 30, 0)), false);
        assert_eq!(quiet, Some(old));
    }

    #[test]
    fn p20_references_are_those_of_the_money_of_then_and_of_the_keys_of_now() {
        let (old, now) = (account(0, 100, 7), account(0, 100, 0));
        let consumers = |old: &Account, has_keys| {
            of_both(Some(old.clone()), Some(now.clone()), has_keys).map(|both| both.consumers)
        };
        assert_eq!((consumers(&old, false), consumers(&old, true)), (Some(1), Some(2)));
        let frozen = AccountData { frozen: 1, ..account(0, 100, 0).data };
        let frozen = Account { data: frozen, ..account(0, 100, 0) };
        assert_eq!(consumers(&frozen, false), Some(1));
        assert_eq!(consumers(&account(0, 100, 0), true), Some(1));
    }

    #[test]
    fn p20_who_came_since_keeps_what_it_did_and_nothing_else() {
        let came = of_both(None, Some(active(account(2, 90, 9))), false).expect("it is known");
        assert_eq!((came.nonce, came.data.free, came.data.reserved), (2, 0, 0));
        assert_eq!((came.data.activity.succeeded, came.providers, came.consumers), (3, 1, 0));
        // Of who was only paid nothing is left.
        assert_eq!(of_both(None, Some(account(0, 90, 0)), false), None);
        let keys = of_both(None, Some(account(0, 90, 0)), true).expect("it has keys");
        assert_eq!((keys.providers, keys.consumers), (1, 1));
        assert_eq!(of_both(None, None, false), None);
    }

    #[test]
    fn p20_who_was_reaped_since_is_there_again_and_no_nonce_falls() {
        let old = account(5, 100, 0);
        assert_eq!(of_both(Some(old.clone()), None, false), Some(old.clone()));
        // Reaped, and begun anew.
        let again = of_both(Some(old), Some(account(1, 3, 0)), false).expect("it is there");
        assert_eq!((again.nonce, again.data.free, again.providers), (5, 100, 2));
    }
}
