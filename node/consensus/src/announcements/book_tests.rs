//! What is taken into a book, and what is not.

use super::book::{Book, Verdict, View};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, BlockNumber},
    sequencers::{Announcement, SignedAnnouncement},
};
use codec::{DecodeAll, Encode};
use proptest::prelude::*;
use sp_core::{bounded::BoundedVec, ed25519, Pair};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const HEAD: BlockNumber = 10_000;
/// Of a chain with blocks of 500 ms: fresh for 180 blocks, one in 20.
const BLOCK_TIME: u64 = 500;

fn genesis() -> BlockHash {
    BlockHash::repeat_byte(7)
}

fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

fn key(n: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[n; 32])
}

fn hash_at(height: BlockNumber) -> Option<BlockHash> {
    (height <= HEAD).then(|| BlockHash::from_low_u64_be(height.into()))
}

fn announcement(n: u8, height: BlockNumber) -> Announcement {
    Announcement {
        account: account(n),
        peer: BoundedVec::truncate_from(vec![n; 38]),
        addresses: BoundedVec::truncate_from(vec![BoundedVec::truncate_from(
            b"/ip4/192.0.2.1/tcp/30333".to_vec(),
        )]),
        height,
        hash: BlockHash::from_low_u64_be(height.into()),
    }
}

fn signed_by(signer: u8, announcement: Announcement) -> SignedAnnouncement {
    let signature = key(signer).sign(&announcement.message(&genesis()));
    SignedAnnouncement { announcement, signature }
}

/// Judges by a view in which accounts 1 to 3 have their keys.
fn with_view<R>(act: impl FnOnce(&View) -> R) -> R {
    let announcers: BTreeMap<_, _> = (1..=3).map(|n| (account(n), key(n).public())).collect();
    act(&View {
        announcers: &announcers,
        finalized: HEAD,
        block_time_ms: BLOCK_TIME,
        hash_at: &hash_at,
    })
}

fn take(book: &mut Book, signed: SignedAnnouncement) -> Verdict {
    with_view(|view| book.take(signed, view, Instant::now()))
}

#[test]
fn r2_5_a_node_that_says_something_new_is_heard_once() {
    let mut book = Book::new(genesis());
    let signed = signed_by(1, announcement(1, HEAD - 4));
    assert_eq!(take(&mut book, signed.clone()), Verdict::News);
    assert_eq!(take(&mut book, signed), Verdict::Nothing);
    assert_eq!(book.of(&account(1)), Some(&announcement(1, HEAD - 4)));
    assert_eq!(book.all().count(), 1);
    assert!(book.names(&[1; 38]) && !book.names(&[2; 38]));
}

#[test]
fn nobody_floods_others_with_announcements_of_its_own() {
    let start = Instant::now();
    let heard = |every: Duration| {
        let mut book = Book::new(genesis());
        let news = (HEAD - 180..=HEAD).zip(0_u32..).filter(|(height, count)| {
            let signed = signed_by(1, announcement(1, *height));
            with_view(|view| book.take(signed, view, start + every * *count)) == Verdict::News
        });
        news.count()
    };
    // As they are made; kept back and let loose at once.
    assert_eq!(heard(Duration::from_millis(BLOCK_TIME)), 10);
    assert_eq!(heard(Duration::ZERO), 1);
}

#[test]
fn what_is_old_ahead_or_of_a_stranger_is_not_judged() {
    let mut book = Book::new(genesis());
    for announcement in
        [announcement(1, HEAD - 181), announcement(1, HEAD + 1), announcement(4, HEAD)]
    {
        let signer = announcement.account.as_ref() as &[u8; 32];
        let signed = signed_by(signer[0], announcement);
        assert_eq!(take(&mut book, signed), Verdict::Nothing);
    }
    assert_eq!(book.all().count(), 0);
}

#[test]
fn who_names_a_block_of_another_chain_is_wrong() {
    let mut book = Book::new(genesis());
    let other = Announcement { hash: BlockHash::zero(), ..announcement(1, HEAD) };
    assert_eq!(take(&mut book, signed_by(1, other)), Verdict::Wrong);
}

#[test]
fn nobody_speaks_for_another_or_on_another_chain() {
    let mut book = Book::new(genesis());
    assert_eq!(take(&mut book, signed_by(2, announcement(1, HEAD))), Verdict::Unproven);
    let mut elsewhere = Book::new(BlockHash::zero());
    assert_eq!(take(&mut elsewhere, signed_by(1, announcement(1, HEAD))), Verdict::Unproven);
}

#[test]
fn who_falls_silent_or_leaves_the_registry_is_forgotten() {
    let mut book = Book::new(genesis());
    for n in 1..=3 {
        assert_eq!(take(&mut book, signed_by(n, announcement(n, HEAD - 100))), Verdict::News);
    }
    let announcers: BTreeMap<_, _> = [(account(1), key(1).public())].into();
    let later = |blocks| View {
        announcers: &announcers,
        finalized: HEAD + blocks,
        block_time_ms: BLOCK_TIME,
        hash_at: &hash_at,
    };
    book.forget(&later(80));
    let left: Vec<_> = book.all().map(|signed| signed.announcement.account.clone()).collect();
    assert_eq!(left, [account(1)]);
    book.forget(&later(81));
    assert_eq!(book.all().count(), 0);
}

proptest! {
    /// No byte of a message can be changed, and none makes a node panic.
    #[test]
    fn r2_5_announcements_bind_every_byte(place in 0_usize..200, bit in 0_u8..8) {
        let mut bytes = signed_by(1, announcement(1, HEAD)).encode();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = SignedAnnouncement::decode_all(&mut &bytes[..]) {
            let mut book = Book::new(genesis());
            prop_assert_ne!(take(&mut book, changed), Verdict::News);
        }
    }
}
