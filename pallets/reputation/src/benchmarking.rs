//! Measures what `weights.rs` estimates.

use crate::{
    pallet::{
        Call, Config, L1Accounts, L1Addresses, Pallet, Standings, TrustQueue, TrustQueueRange,
        TrustSeeds, Vertices,
    },
    record::{Noted, RecordActivity},
    types::{Transfer, Vertex, MAX_HEARD, MAX_SAID, MAX_SEEDS},
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::cvm::TrustKind,
    relay::{L1BlockContext, TrustStatement},
    reputation::{
        attestation::OnAttestedScore,
        l1_stake::{OnL1Stake, StakeTerm, StakeTerms},
        Score,
    },
    sequencers::{Offence, OffenceKind, OnOffence, MAX_L1_LOCKS},
};
use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::StoredMap,
};
use frame_system::RawOrigin;
use sp_core::{bounded::BoundedVec, ConstU32, H160};
use sp_runtime::traits::{AsSystemOriginSigner, Dispatchable, TransactionExtension};

/// r is the generator's x, s is 1: a key comes out of that, whatever was signed.
const SIGNATURE: [u8; 65] = {
    let x = sp_core::hex2array!("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let mut signature = [0; 65];
    signature[0] = 31;
    let mut place = 0;
    while place < 32 {
        signature[1 + place] = x[place];
        place += 1;
    }
    signature[64] = 1;
    signature
};

fn address(kind: u8, number: u32) -> H160 {
    let mut bytes = [kind; 20];
    bytes.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    H160(bytes)
}

/// An edge with a bond that grows with `bond`.
fn edge(speaker: H160, subject: H160, bond: u64) -> TrustStatement {
    // More than any coin has units here.
    let bond = bond.saturating_add(1 << 60);
    TrustStatement { kind: TrustKind::Edge, speaker, subject, weight: 100, bond }
}

/// Makes an address of which, and who, speaks as much as is kept.
fn crowd<T: Config>(of: H160) {
    for number in 0..MAX_HEARD {
        let _ = Pallet::<T>::hear(&edge(address(1, number), of, number.into()));
    }
    for number in 0..MAX_SAID {
        let _ = Pallet::<T>::hear(&edge(of, address(2, number), number.into()));
    }
}

/// As if all trust were computed.
fn empty_queue<T: Config>() {
    let (start, end) = TrustQueueRange::<T>::take();
    for place in start..end {
        if let Some(address) = TrustQueue::<T>::take(place) {
            Vertices::<T>::mutate(address, |vertex: &mut Vertex| vertex.queued = false);
        }
    }
}

#[benchmarks(where
    T: Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>
        + From<frame_system::Call<T>>,
    T::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_l1_score() {
        let account = AccountId::new([7; 32]);
        #[extrinsic_call]
        _(RawOrigin::Root, account.clone(), Score::MAX);
        assert!(Standings::<T>::contains_key(account));
    }

    /// The signature is of some message of some wallet: any recovers some key.
    #[benchmark]
    fn link() {
        let caller: AccountId = whitelisted_caller();
        let old = H160([9; 20]);
        L1Addresses::<T>::insert(&caller, old);
        L1Accounts::<T>::insert(old, &caller);
        #[extrinsic_call]
        link_l1_address(RawOrigin::Signed(caller.clone()), SIGNATURE);
        assert!(L1Addresses::<T>::get(&caller).is_some_and(|address| address != old));
    }

    #[benchmark]
    fn unlink() {
        let caller: AccountId = whitelisted_caller();
        let address = H160([9; 20]);
        L1Addresses::<T>::insert(&caller, address);
        L1Accounts::<T>::insert(address, &caller);
        #[extrinsic_call]
        unlink_l1_address(RawOrigin::Signed(caller.clone()));
        assert!(!L1Accounts::<T>::contains_key(address));
    }

    /// In a block, where validation does nothing. That the call was a transfer is added
    /// afterwards, since this pallet can make none.
    #[benchmark]
    fn record() {
        let caller: AccountId = whitelisted_caller();
        frame_system::Pallet::<T>::inc_providers(&caller);
        let call: T::RuntimeCall = frame_system::Call::remark { remark: alloc::vec![] }.into();
        let info = DispatchInfo::default();
        let origin: T::RuntimeOrigin = RawOrigin::Signed(caller.clone()).into();
        let transfer = Transfer { recipient: AccountId::new([9; 32]), amount: 1 << 40 };
        #[block]
        {
            let noted = RecordActivity::<T>::new().prepare((), &origin, &call, &info, 0);
            let noted = noted.expect("it refuses nothing").expect("a remark is noted");
            Pallet::<T>::note(Noted { transfer: Some(transfer), ..noted }, true);
        }
        assert_eq!(T::Activities::get(&caller).transactions(), 1);
    }

    #[benchmark]
    fn set_trust_seeds() {
        let seeds = |kind: u8| -> BoundedVec<H160, ConstU32<MAX_SEEDS>> {
            let all = (0..MAX_SEEDS).map(|number| address(kind, number));
            BoundedVec::truncate_from(all.collect::<alloc::vec::Vec<_>>())
        };
        Pallet::<T>::do_set_trust_seeds(seeds(1));
        empty_queue::<T>();
        let new = seeds(2);
        #[extrinsic_call]
        _(RawOrigin::Root, new.clone());
        assert_eq!(TrustSeeds::<T>::get(), new);
    }

    /// Speaker and subject have no room, so that two statements go.
    #[benchmark]
    fn hear() {
        let (speaker, subject) = (address(8, 0), address(9, 0));
        crowd::<T>(speaker);
        crowd::<T>(subject);
        empty_queue::<T>();
        let statement = edge(speaker, subject, 1_000);
        #[block]
        {
            let _ = Pallet::<T>::hear(&statement);
        }
        let heard = Vertices::<T>::get(subject).incoming;
        assert!(heard.iter().any(|heard| heard.speaker == speaker));
        assert_eq!(TrustQueueRange::<T>::get(), (0, 4));
    }

    /// A linked address that acted before.
    #[benchmark]
    fn note_act() {
        let (account, address) = (AccountId::new([7; 32]), address(9, 0));
        L1Addresses::<T>::insert(&account, address);
        L1Accounts::<T>::insert(address, &account);
        let block = |median_time| L1BlockContext { median_time, ..Default::default() };
        Pallet::<T>::note_act(&address, &block(1), false);
        let later = block(1_700_000_000);
        #[block]
        {
            Pallet::<T>::note_act(&address, &later, false);
        }
        let months = Standings::<T>::get(account).map(|standing| standing.history.months);
        assert_eq!(months, Some(2));
    }

    /// As many locks as an account can have.
    #[benchmark]
    fn on_l1_stake() {
        let account = AccountId::new([7; 32]);
        let term = |since| StakeTerm { since, amount: u64::MAX };
        let all: alloc::vec::Vec<_> = (0..MAX_L1_LOCKS).map(term).collect();
        let terms = StakeTerms::truncate_from(all);
        let most = terms.clone();
        #[block]
        {
            Pallet::<T>::on_l1_stake(&account, most);
        }
        assert_eq!(Standings::<T>::get(account).map(|standing| standing.stake), Some(terms));
    }

    #[benchmark]
    fn on_attested_score() {
        let (account, address) = (AccountId::new([7; 32]), address(9, 0));
        L1Addresses::<T>::insert(&account, address);
        L1Accounts::<T>::insert(address, &account);
        #[block]
        {
            Pallet::<T>::on_attested_score(&address, Score::MAX);
        }
        assert!(Standings::<T>::get(account).is_some_and(|standing| standing.attested.is_some()));
    }

    #[benchmark]
    fn spread_base() {
        #[block]
        {
            Pallet::<T>::spread(frame_support::weights::Weight::MAX);
        }
        assert_eq!(TrustQueueRange::<T>::get(), (0, 0));
    }

    /// A linked address becomes a seed, which all it speaks of must learn.
    #[benchmark]
    fn spread() {
        let (account, all) = (AccountId::new([7; 32]), address(9, 0));
        crowd::<T>(all);
        L1Addresses::<T>::insert(&account, all);
        L1Accounts::<T>::insert(all, &account);
        Pallet::<T>::do_set_trust_seeds(BoundedVec::truncate_from(alloc::vec![all]));
        empty_queue::<T>();
        #[block]
        {
            Pallet::<T>::compute_trust(&all);
        }
        assert_eq!(Standings::<T>::get(account).map(|standing| standing.trust), Some(Score::MAX));
        assert_eq!(TrustQueueRange::<T>::get(), (0, u64::from(MAX_SAID)));
    }

    #[benchmark]
    fn on_offence() {
        let offender = AccountId::new([7; 32]);
        let offence = Offence {
            kind: OffenceKind::DoubleSign,
            offender: offender.clone(),
            set_id: 1,
            height: 1,
        };
        #[block]
        {
            Pallet::<T>::on_offence(&offence);
        }
        assert!(Standings::<T>::contains_key(offender));
    }
}
