//! What the relay carries: pages of events with their proofs, and votes.

use super::scale;
use crate::{
    chain::AccountId,
    l1::{cvm::TrustKind, L1Hash, OutPoint},
    relay::{
        paginate, EventPage, ForkPoint, ForkVote, L1BlockContext, L1BlockDigest, L1Event,
        PageProof, PageTree, RelayRange, RelayVote, TrustStatement,
    },
};
use cascoin_fuzz::fuzz;
use codec::{Encode, MaxEncodedLen};
use sp_core::{ecdsa, ed25519, Pair, H160, H256};

const GENESIS: H256 = H256([1; 32]);

/// One event of each kind, and so many burns that there are several pages.
fn events() -> Vec<L1Event> {
    let outpoint = |vout| OutPoint { txid: L1Hash([9; 32]), vout };
    let account = AccountId::new([7; 32]);
    let owner = H160([6; 20]);
    let mut events = vec![
        L1Event::Trust(TrustStatement {
            kind: TrustKind::Vote,
            speaker: owner,
            subject: H160([5; 20]),
            weight: -7,
            bond: 9,
        }),
        L1Event::KeyRevocation { chain_id: 3, signer: owner, account: account.clone() },
        L1Event::Stake {
            outpoint: outpoint(1),
            chain_id: 3,
            account,
            owner,
            value: 5,
            unlock: 9_000,
        },
        L1Event::Message {
            outpoint: outpoint(2),
            unsigned_txid: L1Hash([3; 32]),
            chain_id: 3,
            sender: ecdsa::Public::from_raw([2; 33]),
            value: 4,
            body: vec![0; 9].try_into().expect("it fits"),
        },
        L1Event::ChainRegistration {
            outpoint: outpoint(1),
            chain_id: 3,
            id: 1_000,
            name: b"demo".to_vec().try_into().expect("it fits"),
            definition: L1Hash([4; 32]),
            owner,
            value: 8,
            unlock: 60_000,
        },
        L1Event::ForcedTransaction {
            chain_id: 3,
            paid: 1,
            transaction: vec![8; 300].try_into().expect("it fits"),
        },
        L1Event::VaultDeposit {
            outpoint: outpoint(1),
            chain_id: 3,
            value: 3,
            script: [5; 32],
            body: vec![0; 33].try_into().expect("it fits"),
        },
    ];
    events.extend((0..400).map(|vout| L1Event::Burn {
        outpoint: outpoint(vout),
        value: 2,
        payload: vec![1; 51].try_into().expect("it fits"),
    }));
    events
}

#[test]
fn event_page() {
    let pages = paginate(events());
    let tree = PageTree::of(&pages);
    let root = tree.root();
    let delivered: Vec<Vec<u8>> = pages
        .iter()
        .map(|page| (page, tree.proof(page.index).expect("it is there")).encode())
        .collect();
    assert!(delivered.len() > 2);
    fuzz(&delivered, |bytes| {
        let Some((page, proof)) = scale::<(EventPage, PageProof)>(bytes) else { return false };
        assert!(bytes.len() <= <(EventPage, PageProof)>::max_encoded_len());
        // Nothing stands under the root but what was put there, in its place.
        let stands = proof.verify(&page, &root).is_ok();
        if stands {
            assert_eq!(pages.get(page.index as usize), Some(&page));
            assert_eq!(tree.proof(page.index), Some(proof));
        }
        stands
    });
}

fn digest(height: u32) -> L1BlockDigest {
    L1BlockDigest {
        height,
        hash: L1Hash::of(&height.to_le_bytes()),
        previous: L1Hash::of(&(height - 1).to_le_bytes()),
        time: 8,
        median_time: 7,
        event_count: 2,
        pages_root: H256([3; 32]),
    }
}

#[test]
fn relay_vote() {
    let key = ed25519::Pair::from_seed(&[7; 32]);
    let vote = |count: u32| {
        let digests: Vec<_> = (10..10 + count).map(digest).collect();
        let range = RelayRange(digests.try_into().expect("it fits"));
        let signature = key.sign(&RelayVote::message(&GENESIS, 4, &range, 5));
        RelayVote { set_id: 4, voter: 1, range, tip_time: 5, signature }
    };
    let votes = [vote(1), vote(3), vote(64)].map(|vote| vote.encode());
    let key = key.public();
    fuzz(&votes, |bytes| {
        let Some(vote) = scale::<RelayVote>(bytes) else { return false };
        assert!(bytes.len() <= RelayVote::max_encoded_len());
        let RelayVote { set_id, range, tip_time, signature, voter } = &vote;
        if range.is_well_formed() {
            let heights = range.0.iter().map(|digest| digest.height);
            assert!(heights.eq((range.first()..).take(range.0.len())));
        }
        let message = RelayVote::message(&GENESIS, *set_id, range, *tip_time);
        let signed = ed25519::Pair::verify(signature, &message, &key);
        // A signature holds for nothing else. The voter's index is not signed: it only says
        // whose key to look up.
        if signed {
            let again = RelayVote { voter: 1, ..vote.clone() }.encode();
            assert!(votes.contains(&again), "voter {voter}");
        }
        signed
    });
}

#[test]
fn fork_vote() {
    let key = ed25519::Pair::from_seed(&[7; 32]);
    let common = L1BlockContext { height: 7, hash: L1Hash([1; 32]), time: 20, median_time: 10 };
    let fork = ForkPoint { common, branch: L1Hash([2; 32]), replaced: L1Hash([3; 32]) };
    let signature = key.sign(&ForkVote::message(&GENESIS, 4, &fork, 5));
    let right = ForkVote { set_id: 4, voter: 1, fork, tip_time: 5, signature };
    let key = key.public();
    fuzz(&[right.encode()], |bytes| {
        let Some(vote) = scale::<ForkVote>(bytes) else { return false };
        assert!(bytes.len() <= ForkVote::max_encoded_len());
        let message = ForkVote::message(&GENESIS, vote.set_id, &vote.fork, vote.tip_time);
        let signed = ed25519::Pair::verify(&vote.signature, &message, &key);
        if signed {
            assert_eq!(ForkVote { voter: 1, ..vote }, right);
        }
        signed
    });
}
