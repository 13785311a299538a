//! Measures what `weights.rs` estimates. What the runtime does in a recovery (the doubt, the
//! relay, mending, merging a key, repeating a transaction) is not in it: it has weights of its
//! own.

use crate::{
    pallet::{
        Advanced, Call, Cast, Config, Fallen, Forced, HadUsers, Pallet, Running, UserBlocks,
        UsersIn,
    },
    types::{Phase, RecoveryRun, Votes},
    MAX_SCANNED, NOTES_KEPT,
};
use alloc::{boxed::Box, vec, vec::Vec};
use cascoin_l2_primitives::{
    chain::{key_types, BlockHash, Header, MAX_SEQUENCERS},
    recovery::{
        events_key, read_events, recovery_message, Books, Cursor, Fall, FallenTransaction, Place,
        RecoveryPoint, RecoveryStep, RecoverySubject, Replay, MAX_EVENTS_BYTES, MAX_KEYS_PER_STEP,
    },
    sequencers::SequencerSetProvider,
};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;
use sp_core::{bounded::BoundedVec, H256};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _, Header as _},
    Digest,
};
use sp_trie::{LayoutV1, MemoryDB, TrieDBMutBuilder, TrieMut};

/// Bytes of a body: as many as a block has room for, about.
const BODY: usize = 5 * 1024 * 1024;
/// Bytes of a page's values.
const VALUE: usize = 200;

fn header(state_root: H256, extrinsics_root: H256) -> Header {
    Header::new(1, extrinsics_root, state_root, BlockHash::zero(), Digest::default())
}

fn run<T: Config>(since: RecoveryPoint, phase: Phase) {
    Running::<T>::put(RecoveryRun {
        number: 1,
        since,
        common: Default::default(),
        deficit: 1,
        begun_at: 10 * MAX_SCANNED,
        phase,
        moved_at: 0,
        applied_before: 0,
        held: 0,
        fell: 0,
        abandoned: 0,
    });
}

fn subject() -> RecoverySubject {
    RecoverySubject { number: 1, deficit: 1, ..Default::default() }
}

/// The votes of all but the last of as many sequencers as there can be.
fn cast<T: Config>() -> Votes {
    let voters: Vec<u16> = (0..MAX_SEQUENCERS as u16 - 1).collect();
    Votes {
        set_id: T::Sequencers::set_id(),
        subject: subject(),
        voters: BoundedVec::truncate_from(voters),
    }
}

/// The root of a state that has this under the key, and its nodes.
fn state(key: &[u8], value: &[u8]) -> (H256, Vec<Vec<u8>>) {
    let (mut nodes, mut root) = (MemoryDB::<BlakeTwo256>::new(&[0]), H256::default());
    {
        let mut trie =
            TrieDBMutBuilder::<LayoutV1<BlakeTwo256>>::new(&mut nodes, &mut root).build();
        let _ = trie.insert(key, value);
    }
    let nodes = nodes.drain().into_iter().map(|(_, (node, _))| node).collect();
    (root, nodes)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn block() {
        HadUsers::<T>::put(true);
        for number in 0..2u32 {
            UserBlocks::<T>::insert(number, BlockHash::zero());
        }
        let now = NOTES_KEPT + 2;
        UsersIn::<T>::put(now - 1);
        #[block]
        {
            Pallet::<T>::begin_block(now);
            Pallet::<T>::end_block(now);
        }
        assert!(!UserBlocks::<T>::contains_key(1) && UserBlocks::<T>::contains_key(now - 1));
    }

    #[benchmark]
    fn running() {
        HadUsers::<T>::put(true);
        UsersIn::<T>::put(0);
        Advanced::<T>::put(true);
        run::<T>(
            RecoveryPoint::default(),
            Phase::Restoring { root: None, cursor: Cursor::default() },
        );
        #[block]
        {
            Pallet::<T>::begin_block(1);
            Pallet::<T>::end_block(1);
        }
        assert!(!Advanced::<T>::exists() && Running::<T>::exists());
    }

    /// Nothing stands here, so nothing begins: a write is what is missing.
    #[benchmark]
    fn begin() {
        let votes = cast::<T>();
        let subject = votes.subject;
        Cast::<T>::put(votes);
        Forced::<T>::put(subject);
        #[block]
        {
            let _ = Pallet::<T>::agreed();
            Pallet::<T>::end_block(1);
        }
        assert!(!Forced::<T>::exists());
    }

    #[benchmark]
    fn scan() {
        let next = Replay::between(0, 10 * MAX_SCANNED);
        run::<T>(RecoveryPoint::default(), Phase::Replaying { next });
        #[block]
        {
            Pallet::<T>::end_block(1);
        }
        let due = Running::<T>::get().and_then(|run| match run.phase {
            Phase::Replaying { next } => next.due(),
            _ => None,
        });
        assert_eq!(due, Some(Place { block: MAX_SCANNED + 1, index: 0 }));
    }

    #[benchmark]
    fn note_outcome() {
        #[block]
        {
            Pallet::<T>::note_outcome();
        }
        assert!(HadUsers::<T>::get());
    }

    /// All but the look-ups of the doubt and of the sequencer's key, which are others'.
    #[benchmark]
    fn authorize_vote() {
        Cast::<T>::put(cast::<T>());
        let message = recovery_message(&H256::zero(), 0, &subject());
        let key = sp_io::crypto::ed25519_generate(key_types::RELAY, None);
        let signature = sp_io::crypto::ed25519_sign(key_types::RELAY, &key, &message)
            .expect("the key was just made; qed");
        let has_voted;
        #[block]
        {
            assert!(sp_io::crypto::ed25519_verify(&signature, &message, &key));
            let _ = Pallet::<T>::votable();
            has_voted = Pallet::<T>::has_vote(MAX_SEQUENCERS as u16 - 1, &subject());
        }
        assert!(!has_voted);
    }

    #[benchmark]
    fn vote() {
        Cast::<T>::put(cast::<T>());
        #[block]
        {
            let _ = Pallet::<T>::votable();
            let mut cast =
                Cast::<T>::get().unwrap_or_default().in_force::<T::Sequencers>(&subject());
            assert!(cast.add(MAX_SEQUENCERS as u16 - 1));
            Cast::<T>::put(cast);
        }
        assert_eq!(Cast::<T>::get().map(|cast| cast.voters.len()), Some(MAX_SEQUENCERS as usize));
    }

    #[benchmark]
    fn force() {
        #[block]
        {
            let _ = Pallet::<T>::possible();
            Forced::<T>::put(subject());
        }
        assert!(Forced::<T>::exists());
    }

    #[benchmark]
    fn point() {
        let header = header(H256::repeat_byte(1), H256::zero());
        let since = RecoveryPoint { hash: header.hash(), ..Default::default() };
        run::<T>(since, Phase::Restoring { root: None, cursor: Cursor::default() });
        let step = RecoveryStep::Point(Box::new(header));
        #[extrinsic_call]
        advance(RawOrigin::None, step);
        assert!(Advanced::<T>::get());
    }

    #[benchmark]
    fn page(k: Linear<1, MAX_KEYS_PER_STEP>) {
        let parts = T::Books::parts();
        let part = parts.len().saturating_sub(1) as u32;
        let prefix = parts.last().cloned().unwrap_or_default();
        let (mut nodes, mut root) = (MemoryDB::<BlakeTwo256>::new(&[0]), H256::default());
        {
            let mut trie =
                TrieDBMutBuilder::<LayoutV1<BlakeTwo256>>::new(&mut nodes, &mut root).build();
            for number in 0..k {
                let key = [prefix.clone(), BlakeTwo256::hash(&number.encode()).encode()].concat();
                let _ = trie.insert(&key, &[1; VALUE]);
            }
        }
        let nodes = nodes.drain().into_iter().map(|(_, (node, _))| node).collect();
        let cursor = Cursor { part, after: None };
        run::<T>(RecoveryPoint::default(), Phase::Restoring { root: Some(root), cursor });
        let step = RecoveryStep::Page(nodes);
        #[extrinsic_call]
        advance(RawOrigin::None, step);
        assert!(Advanced::<T>::get());
    }

    /// Nobody signed what is in it, so nothing is repeated; and it had no events.
    #[benchmark]
    fn body() {
        let encoded = vec![vec![7; BODY]];
        let (root, shown) = state(&[1], &[1]);
        let version = T::Version::get().extrinsics_root_state_version();
        let header = header(root, BlakeTwo256::ordered_trie_root(encoded.clone(), version));
        UserBlocks::<T>::insert(1, header.hash());
        run::<T>(RecoveryPoint::default(), Phase::Replaying { next: Replay::between(0, 5) });
        let step = RecoveryStep::Block { header: Box::new(header), body: encoded, events: shown };
        #[extrinsic_call]
        advance(RawOrigin::None, step);
        assert!(Advanced::<T>::get());
    }

    #[benchmark]
    fn events(b: Linear<1, MAX_EVENTS_BYTES>) {
        let value = vec![7; b as usize];
        let (root, nodes) = state(&events_key(), &value);
        let read;
        #[block]
        {
            read = read_events(&root, nodes);
        }
        assert_eq!(read, Ok(value));
    }

    #[benchmark]
    fn tell() {
        let transaction = vec![7; 1_000];
        #[block]
        {
            Pallet::<T>::tell(
                0,
                FallenTransaction {
                    place: Place::default(),
                    hash: BlakeTwo256::hash(&transaction),
                    sender: T::Books::signer(&transaction),
                    fall: Fall::Unreadable,
                },
            );
        }
        assert!(Fallen::<T>::contains_key(0));
    }
}
