//! Measures what `weights.rs` estimates, each with a full set.

use crate::{
    pallet::{
        BonusPool, Call, Config, Earnings, Ended, InBlock, LastSettlement, Pallet, Penalties,
        Running, RunningSet,
    },
    types::{BlockFees, Earned, EndedSession, Seat, SessionSet, MAX_PENALTIES},
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, MAX_SEQUENCERS},
    rewards::{Collected, Payout},
    sequencers::{
        Offence, OffenceKind, OnOffence, OnSessionJudged, SequencerSetProvider, SessionUptime,
    },
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, Hooks},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

/// More than anything here pays.
const PLENTY: Balance = 1 << 80;

fn account(number: u32) -> AccountId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

/// A set of `members`.
fn set_of(members: u32) -> SessionSet {
    let seats = (0..members).map(|number| Seat { account: account(number), weight: 100 });
    SessionSet { set_id: 0, seats: BoundedVec::truncate_from(seats.collect()) }
}

fn fill_pot<T: Config>() {
    let _ = T::Currency::mint_into(&Pallet::<T>::pot(), PLENTY);
}

fn running<T: Config>(members: u32) {
    let set = set_of(members);
    Running::<T>::put(set.empty_tallies());
    RunningSet::<T>::put(set);
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    /// A block with fees, its beginning, its end and the new price, in the middle of a
    /// session.
    #[benchmark]
    fn block() {
        fill_pot::<T>();
        running::<T>(MAX_SEQUENCERS);
        RunningSet::<T>::mutate(|set| set.set_id = T::Sequencers::set_id());
        frame_system::Pallet::<T>::set_block_number(1u32.into());
        #[block]
        {
            Pallet::<T>::on_initialize(1u32.into());
            let producer = Some(63);
            let split = Pallet::<T>::split();
            InBlock::<T>::put(BlockFees {
                split,
                producer,
                base_fees: 1_000_003,
                tips: 17,
                ..Default::default()
            });
            let price = pallet_transaction_payment::Multiplier::from_u32(1);
            let _ = <crate::BaseFeeUpdate<T> as sp_runtime::traits::Convert<_, _>>::convert(price);
            Pallet::<T>::on_finalize(1u32.into());
        }
        assert!(!InBlock::<T>::exists());
    }

    /// The set in force follows, which is a full one in the genesis to measure with.
    #[benchmark]
    fn end_session() {
        running::<T>(MAX_SEQUENCERS);
        #[block]
        {
            Pallet::<T>::end_session();
        }
        assert!(Ended::<T>::exists());
        assert_eq!(RunningSet::<T>::get().seats.len() as u32, MAX_SEQUENCERS);
    }

    /// Everybody made blocks, nobody has an account yet, all are penalised and paid.
    #[benchmark]
    fn settle(n: Linear<1, { MAX_SEQUENCERS }>) {
        fill_pot::<T>();
        let set = set_of(n);
        let mut tallies = set.empty_tallies();
        for tally in tallies.iter_mut() {
            *tally = Collected {
                blocks: 10,
                base_fees: 1 << 40,
                tips: 1 << 30,
                producer_part: 1 << 39,
                others_part: (1 << 38) + 1,
            };
        }
        let uptimes: Vec<_> = set
            .seats
            .iter()
            .map(|seat| SessionUptime { account: seat.account.clone(), uptime_permille: 1_000 })
            .collect();
        let penalties = set.seats.iter().map(|seat| (seat.account.clone(), u32::MAX)).collect();
        Penalties::<T>::put(BoundedVec::truncate_from(penalties));
        BonusPool::<T>::put(1 << 41);
        Ended::<T>::put(EndedSession { set, last_block: 1, tallies });
        #[block]
        {
            Pallet::<T>::on_session_judged(&uptimes);
        }
        assert_eq!(LastSettlement::<T>::get().map(|last| last.rewards.len()), Some(n as usize));
        assert!(Earnings::<T>::iter_values().all(|earned| earned.owed == 0 && earned.paid > 0));
    }

    #[benchmark]
    fn on_offence() {
        let full = (0..MAX_PENALTIES).map(|number| (account(number), u32::MAX)).collect();
        Penalties::<T>::put(BoundedVec::truncate_from(full));
        let offender = account(MAX_PENALTIES);
        let offence = Offence { kind: OffenceKind::Offline, offender, set_id: 0, height: 1 };
        #[block]
        {
            <Pallet<T> as OnOffence>::on_offence(&offence);
        }
        assert_eq!(Penalties::<T>::get().len(), MAX_PENALTIES as usize);
    }

    /// Of the signer, whose account each transaction reads for its nonce.
    #[benchmark]
    fn discount() {
        let who: AccountId = whitelisted_caller();
        #[block]
        {
            Pallet::<T>::has_discount(&who);
        }
    }

    #[benchmark]
    fn set_payout() {
        running::<T>(MAX_SEQUENCERS);
        let who = account(MAX_SEQUENCERS - 1);
        #[extrinsic_call]
        set_payout(RawOrigin::Signed(who.clone()), Payout::To(account(1_000)));
        assert_eq!(crate::pallet::Payouts::<T>::get(who), Payout::To(account(1_000)));
    }

    #[benchmark]
    fn claim() {
        fill_pot::<T>();
        let who = account(1);
        crate::pallet::Payouts::<T>::insert(&who, Payout::To(account(1_000)));
        Earnings::<T>::insert(&who, Earned { owed: 1 << 30, paid: 0 });
        #[extrinsic_call]
        claim(RawOrigin::Signed(who.clone()));
        assert_eq!(Earnings::<T>::get(who), Earned { owed: 0, paid: 1 << 30 });
    }
}
