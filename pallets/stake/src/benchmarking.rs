//! Measures what `weights.rs` estimates, each with as many chunks as there can be.

use crate::{
    ledger::{Chunk, Ledger},
    pallet::{Call, Config, DoubleSigns, HoldReason, L1Locks, Ledgers, Pallet},
    DoubleSign, WeightInfo, MAX_CHUNKS, MAX_DOUBLE_SIGNS, MAX_L1_LOCKS,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{
        inclusion::{InclusionProof, HEADER_LEN, MAX_PATH, MAX_TRANSACTION_BYTES},
        stake::{StakePayload, MIN_LOCK_BLOCKS},
        L1Hash, OutPoint,
    },
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Offence, OffenceKind, OnOffence, StakeProvider},
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, InspectHold, Mutate, MutateHold},
        Get,
    },
    BoundedVec,
};
use frame_system::RawOrigin;

const AMOUNT: Balance = 1_000_000_000;

/// An account with stake and `chunks` chunks that are free at block 5.
fn bonded<T: Config>(chunks: u32) -> AccountId
where
    T::Currency: Mutate<AccountId>,
{
    let account: AccountId = whitelisted_caller();
    let total = AMOUNT.saturating_mul(Balance::from(chunks).saturating_add(1));
    T::Currency::set_balance(&account, total.saturating_mul(10));
    T::Currency::hold(&HoldReason::Stake.into(), &account, total).expect("it has ten times that");
    let chunk = Chunk { amount: AMOUNT, free_at: 5 };
    let unbonding = core::iter::repeat_n(chunk, chunks as usize).collect();
    let ledger = Ledger { bonded: AMOUNT, unbonding: BoundedVec::truncate_from(unbonding) };
    Ledgers::<T>::insert(&account, ledger);
    account
}

/// The second double sign of its set, so that all is taken, where as many are known as
/// there can be. The first one's stake is gone already.
fn double_sign(offender: &AccountId) -> Offence {
    Offence {
        kind: OffenceKind::DoubleSign,
        offender: offender.clone(),
        set_id: MAX_DOUBLE_SIGNS.into(),
        height: 1,
    }
}

fn fill_double_signs<T: Config>() {
    let known = (1..=MAX_DOUBLE_SIGNS).map(|set_id| DoubleSign {
        account: AccountId::new([8; 32]),
        set_id: set_id.into(),
        height: 1,
        together: true,
    });
    DoubleSigns::<T>::put(BoundedVec::truncate_from(known.collect()));
}

/// A lock for `account` that lasts, `more` units larger than the smallest.
fn lock<T: Config>(account: &AccountId, n: u32, more: u64) -> L1Event {
    let smallest = u64::try_from(T::MinL1Lock::get()).expect("L1 has no more units");
    L1Event::Stake {
        outpoint: OutPoint { txid: L1Hash::of(&n.to_le_bytes()), vout: 1 },
        chain_id: T::ChainId::get(),
        account: account.clone(),
        owner: Default::default(),
        value: smallest.saturating_add(more),
        unlock: T::L1Height::get().saturating_add(T::L1Margin::get()).saturating_add(9),
    }
}

/// An account with as many locks as there can be.
fn locked<T: Config>() -> AccountId {
    let account: AccountId = whitelisted_caller();
    for n in 0..MAX_L1_LOCKS {
        Pallet::<T>::on_event(&lock::<T>(&account, n, 1), &Default::default());
    }
    assert_eq!(L1Locks::<T>::get(&account).len(), MAX_L1_LOCKS as usize);
    account
}

/// Fewest bytes of a transaction as [`proof`] makes it, so that what pads it has a length
/// of three bytes.
const LEAST_TRANSACTION: u32 = 500;

/// A proof with a transaction of `bytes` bytes, as deep in its block as can be, that locks
/// more for `account` than all that it has.
fn proof<T: Config>(account: &AccountId, bytes: u32) -> InclusionProof {
    let blocks = T::L1Margin::get().max(MIN_LOCK_BLOCKS).saturating_add(10);
    let said = StakePayload {
        account: account.clone(),
        unlock: T::L1Height::get().saturating_add(blocks),
        owner: [9; 20],
    };
    let smallest = u64::try_from(T::MinL1Lock::get()).expect("L1 has no more units");
    let mut raw = alloc::vec![2u8, 0, 0, 0, 1];
    raw.extend([1; 36]);
    raw.extend([0, 0xff, 0xff, 0xff, 0xff, 3]);
    for (value, script) in
        [(0, said.script(T::ChainId::get())), (smallest.saturating_add(2), said.lock_script())]
    {
        raw.extend(value.to_le_bytes());
        raw.push(script.len() as u8);
        raw.extend(script);
    }
    // Value, length, script and, at the end, the lock time.
    let padding = bytes.max(LEAST_TRANSACTION) as usize - raw.len() - 8 - 3 - 4;
    raw.extend([0; 8]);
    raw.push(0xfd);
    raw.extend((padding as u16).to_le_bytes());
    raw.push(0x6a);
    raw.resize(raw.len() + padding - 1, 0);
    raw.extend([0; 4]);
    let path: Vec<L1Hash> = (1..=MAX_PATH).map(|n| L1Hash([n as u8; 32])).collect();
    let root =
        path.iter().fold(L1Hash::of(&raw), |node, beside| L1Hash::of(&[node.0, beside.0].concat()));
    let mut header = [0; HEADER_LEN];
    header[36..68].copy_from_slice(&root.0);
    InclusionProof {
        height: T::L1Height::get(),
        header,
        transaction: BoundedVec::truncate_from(raw),
        position: 0,
        path: BoundedVec::truncate_from(path),
    }
}

#[benchmarks(where T::Currency: Mutate<AccountId>, frame_system::pallet_prelude::BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn bond() {
        let account = bonded::<T>(MAX_CHUNKS);
        #[extrinsic_call]
        bond(RawOrigin::Signed(account.clone()), AMOUNT);
        assert_eq!(Pallet::<T>::stake(&account), 2 * AMOUNT);
    }

    #[benchmark]
    fn unbond() {
        let account = bonded::<T>(MAX_CHUNKS - 1);
        #[extrinsic_call]
        unbond(RawOrigin::Signed(account.clone()), AMOUNT);
        assert_eq!(Pallet::<T>::stake(&account), 0);
    }

    #[benchmark]
    fn withdraw() {
        let account = bonded::<T>(MAX_CHUNKS);
        frame_system::Pallet::<T>::set_block_number(5u32.into());
        #[extrinsic_call]
        withdraw(RawOrigin::Signed(account.clone()));
        assert_eq!(T::Currency::balance_on_hold(&HoldReason::Stake.into(), &account), AMOUNT);
    }

    /// What it adds to `slash`, with a slash.
    #[benchmark]
    fn reward() {
        let account = bonded::<T>(MAX_CHUNKS);
        let reporter = AccountId::new([9; 32]);
        let offence = double_sign(&account);
        fill_double_signs::<T>();
        #[block]
        {
            Pallet::<T>::on_reported_offence(&offence, &reporter);
        }
        assert!(!Ledgers::<T>::contains_key(&account));
        assert!(T::Currency::balance(&reporter) > 0);
    }

    #[benchmark]
    fn slash() {
        let account = bonded::<T>(MAX_CHUNKS);
        let offence = double_sign(&account);
        fill_double_signs::<T>();
        #[block]
        {
            Pallet::<T>::on_offence(&offence);
        }
        assert!(!Ledgers::<T>::contains_key(&account));
    }

    #[benchmark]
    fn hear_lock() {
        let account = locked::<T>();
        let before = L1Locks::<T>::get(&account);
        let larger = lock::<T>(&account, MAX_L1_LOCKS, 2);
        #[block]
        {
            Pallet::<T>::on_event(&larger, &Default::default());
        }
        assert_ne!(L1Locks::<T>::get(&account), before);
    }

    /// All but looking whether the relay has applied the block.
    #[benchmark]
    fn claim_lock(n: Linear<LEAST_TRANSACTION, MAX_TRANSACTION_BYTES>) {
        let account = locked::<T>();
        let before = L1Locks::<T>::get(&account);
        let proof = proof::<T>(&account, n);
        #[block]
        {
            Pallet::<T>::take_proven(&proof).expect("it locks more; qed");
        }
        assert_ne!(L1Locks::<T>::get(&account), before);
    }

    #[benchmark]
    fn judge_base() {
        #[block]
        {
            Pallet::<T>::judge_locks(T::WeightInfo::judge_base());
        }
    }

    /// One of as many locks as there can be, of a block that is above all attested ones.
    #[benchmark]
    fn judge_lock() {
        let account: AccountId = whitelisted_caller();
        let block = L1BlockContext { height: u32::MAX / 2, ..Default::default() };
        for n in 0..MAX_L1_LOCKS {
            Pallet::<T>::on_event(&lock::<T>(&account, n, 1), &block);
        }
        let gone = L1Locks::<T>::get(&account)[0];
        #[block]
        {
            Pallet::<T>::judge_lock(gone.outpoint, account.clone());
        }
        assert_eq!(L1Locks::<T>::get(&account).len(), MAX_L1_LOCKS as usize - 1);
    }

    #[benchmark]
    fn sweep_base() {
        #[block]
        {
            Pallet::<T>::sweep(T::WeightInfo::sweep_base());
        }
    }

    #[benchmark]
    fn sweep() {
        let account = locked::<T>();
        let gone = L1Locks::<T>::get(&account)[0];
        #[block]
        {
            Pallet::<T>::end(gone.unlock, gone.outpoint, account.clone());
        }
        assert_eq!(L1Locks::<T>::get(&account).len(), MAX_L1_LOCKS as usize - 1);
    }
}
