//! What stands beside an account's nonce: its balance and its activity.
//!
//! Both are in one value, `System::Account`, because a transaction reads and writes
//! that of its signer for nonce and fee in any case: noting what the signer did costs
//! no access to the database of its own. Wallets see the balance's fields where they
//! always are, and one more behind them.

use crate::{AccountId, Balance, System};
use cascoin_l2_primitives::reputation::Activity;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::StoredMap;
use pallet_balances::ExtraFlags;
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// The value.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct AccountData {
    /// As in [`pallet_balances::AccountData`].
    pub free: Balance,
    /// As in [`pallet_balances::AccountData`].
    pub reserved: Balance,
    /// As in [`pallet_balances::AccountData`].
    pub frozen: Balance,
    /// As in [`pallet_balances::AccountData`].
    pub flags: ExtraFlags,
    /// What the account did.
    pub activity: Activity,
}

type BalanceData = pallet_balances::AccountData<Balance>;

impl AccountData {
    fn balance(&self) -> BalanceData {
        let Self { free, reserved, frozen, flags, .. } = self.clone();
        BalanceData { free, reserved, frozen, flags }
    }

    fn of(balance: BalanceData, activity: Activity) -> Self {
        let BalanceData { free, reserved, frozen, flags } = balance;
        Self { free, reserved, frozen, flags, activity }
    }
}

/// Changes one of two parts; as with a whole value, a part that is its default counts
/// as none, and so does the whole if both are.
fn try_mutate<R, E: From<DispatchError>>(
    account: &AccountId,
    change: impl FnOnce(&mut Option<BalanceData>, &mut Option<Activity>) -> Result<R, E>,
) -> Result<R, E> {
    System::try_mutate_exists(account, |stored: &mut Option<AccountData>| {
        let data = stored.take().unwrap_or_default();
        let mut balance = Some(data.balance()).filter(|part| *part != BalanceData::default());
        let mut activity = Some(data.activity).filter(|part| *part != Activity::default());
        let result = change(&mut balance, &mut activity)?;
        let data = AccountData::of(balance.unwrap_or_default(), activity.unwrap_or_default());
        *stored = Some(data).filter(|data| *data != AccountData::default());
        Ok(result)
    })
}

/// The balances, as pallet-balances keeps them.
pub struct BalanceStore;

impl StoredMap<AccountId, BalanceData> for BalanceStore {
    fn get(account: &AccountId) -> BalanceData {
        <System as StoredMap<AccountId, AccountData>>::get(account).balance()
    }

    fn try_mutate_exists<R, E: From<DispatchError>>(
        account: &AccountId,
        change: impl FnOnce(&mut Option<BalanceData>) -> Result<R, E>,
    ) -> Result<R, E> {
        try_mutate(account, |balance, _| change(balance))
    }
}

/// The activities. They go with their account.
pub struct ActivityStore;

impl StoredMap<AccountId, Activity> for ActivityStore {
    fn get(account: &AccountId) -> Activity {
        <System as StoredMap<AccountId, AccountData>>::get(account).activity
    }

    fn try_mutate_exists<R, E: From<DispatchError>>(
        account: &AccountId,
        change: impl FnOnce(&mut Option<Activity>) -> Result<R, E>,
    ) -> Result<R, E> {
        try_mutate(account, |_, activity| change(activity))
    }
}
