//! Measures what `weights.rs` estimates. What a transaction costs is not among it: the
//! runtime says what checking one takes, and books what it dispatches.

use crate::{
    censors::{Censor, Occasion},
    pallet::{
        Asking, Call, CensorRecords, Config, Counts, Duty, Entries, LeftOut, Pallet, Queue,
        Tickets, Unpunished,
    },
    Asked, Censors, Encoded, Leader, Leaders, Ticket, MAX_CENSORS, MAX_LEADERS, MIN_LEFT_OUT,
    PUNISHED, SCANNED,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::forced::MAX_FORCED_BYTES,
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Offence, OffenceKind},
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks},
    weights::{Weight, WeightMeter},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::traits::One;

/// The longest that there can be. It is no transaction.
fn event<T: Config>() -> L1Event {
    L1Event::ForcedTransaction {
        chain_id: T::ChainId::get(),
        paid: 1,
        transaction: Encoded::truncate_from(alloc::vec![0xff; MAX_FORCED_BYTES]),
    }
}

fn account(number: u32) -> AccountId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

/// As many leaders as can be noted left one out, often enough to be to blame.
fn leaders() -> Leaders {
    let leader = |number| Leader { account: account(number), blocks: MIN_LEFT_OUT };
    Leaders(BoundedVec::truncate_from((0..MAX_LEADERS).map(leader).collect()))
}

/// As many censors as are on record, the leaders last, in the epoch that runs.
fn censors(epoch: u32) -> Censors {
    let occasions = BoundedVec::truncate_from(alloc::vec![Occasion { epoch, at: u64::MAX }]);
    let censor =
        |number| Censor { account: account(number), transactions: 1, occasions: occasions.clone() };
    Censors(BoundedVec::truncate_from((0..MAX_CENSORS).rev().map(censor).collect()))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn idle() {
        let block = L1BlockContext { median_time: u32::MAX, ..Default::default() };
        Pallet::<T>::on_event(&event::<T>(), &block);
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        assert_eq!(Queue::<T>::get().waiting(), 1);
    }

    /// A block that looks at nothing but what is used, and one whose leader left out what it
    /// was asked for.
    #[benchmark]
    fn ask() {
        let block = L1BlockContext { median_time: u32::MAX, ..Default::default() };
        let signer = account(0);
        frame_system::Pallet::<T>::inc_account_nonce(&signer);
        for place in 0..SCANNED {
            Pallet::<T>::on_event(&event::<T>(), &block);
            let ticket = Ticket {
                signer: signer.clone(),
                nonce: 0,
                weight: Weight::zero(),
                length: MAX_FORCED_BYTES as u32,
                tip: 0,
            };
            Tickets::<T>::insert(place, ticket);
            LeftOut::<T>::insert(place, leaders());
            Entries::<T>::mutate(place, |entry| {
                if let Some(entry) = entry {
                    entry.asked = 0;
                    Asking::<T>::insert(entry.hash, place);
                }
            });
        }
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
            Duty::<T>::put(Asked { place: 0, leader: account(MAX_LEADERS) });
            Pallet::<T>::on_poll(BlockNumberFor::<T>::one(), &mut WeightMeter::new());
            Pallet::<T>::on_finalize(BlockNumberFor::<T>::one());
        }
        assert_eq!(Tickets::<T>::iter_keys().count(), 0);
    }

    /// What is settled is refused; whom to blame for one that was not is looked up besides.
    #[benchmark]
    fn settle() {
        Pallet::<T>::on_event(&event::<T>(), &L1BlockContext::default());
        Entries::<T>::mutate(0u64, |entry| {
            if let Some(entry) = entry {
                entry.due = 0;
            }
        });
        LeftOut::<T>::insert(0u64, leaders());
        CensorRecords::<T>::put(censors(T::Epoch::get()));
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
            Pallet::<T>::blame(0, leaders());
        }
        assert_eq!(Counts::<T>::get().dropped, 1);
        assert_eq!(CensorRecords::<T>::get().0.len() as u32, MAX_CENSORS);
    }

    /// What the runtime does with them is measured with it.
    #[benchmark]
    fn punish() {
        let offence = |number| Offence {
            kind: OffenceKind::Censorship,
            offender: account(number),
            set_id: 0,
            height: 1,
        };
        let all = (0..MAX_LEADERS).map(offence).collect();
        Unpunished::<T>::put(BoundedVec::truncate_from(all));
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        assert_eq!(Unpunished::<T>::get().len() as u32, MAX_LEADERS - PUNISHED);
    }

    #[benchmark]
    fn include() {
        Pallet::<T>::on_event(&event::<T>(), &L1BlockContext::default());
        LeftOut::<T>::insert(0u64, leaders());
        Duty::<T>::put(Asked { place: 0, leader: account(0) });
        #[extrinsic_call]
        include(RawOrigin::None, 0);
        assert!(!Duty::<T>::exists());
    }

    #[benchmark]
    fn hear() {
        let event = event::<T>();
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        assert_eq!(Queue::<T>::get().waiting(), 1);
    }
}
