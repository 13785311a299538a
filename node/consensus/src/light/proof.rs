//! Proofs that a block is final, from nothing but the sequencers of an earlier one.
//!
//! Each set certifies the block that names the next. The format is that of the
//! SDK's GRANDPA, which light clients read; our check is stricter, as everywhere
//! ([`verify_certificate`]).

use super::fragment::Fragment;
use crate::authority_sets::scheduled_change;
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber, MAX_SEQUENCERS},
    consensus::{verify_certificate, CertificateError},
};
use codec::{Decode, Encode};
use sp_consensus_grandpa::AuthorityId;
use sp_runtime::traits::Header as _;

/// Largest proof in one answer, bytes; what does not fit is asked for again. As in
/// the SDK; light clients take 16 MiB.
pub const MAX_PROOF_BYTES: usize = 8 * 1024 * 1024;
/// Room for what is in a proof besides its fragments.
const OVERHEAD_BYTES: usize = 16;

/// A warp proof: GRANDPA's `WarpSyncProof`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proof {
    /// Rising. All but the last of a finished proof end a set.
    pub fragments: Vec<Fragment>,
    /// The last one is the finalized head of who made the proof.
    pub finished: bool,
}

impl Proof {
    /// Puts a proof together: `changes`, oldest first, and behind them `head`
    /// unless it is the last of them; both as far as they fit into `limit` bytes.
    ///
    /// # Errors
    /// What `changes` gives.
    pub fn assemble<E>(
        changes: impl IntoIterator<Item = Result<Fragment, E>>,
        head: Fragment,
        limit: usize,
    ) -> Result<Self, E> {
        let mut fragments: Vec<Fragment> = Vec::new();
        let mut bytes = OVERHEAD_BYTES;
        let mut fits = |fragment: &Fragment| {
            bytes += fragment.encoded_size();
            bytes <= limit
        };
        for change in changes {
            let change = change?;
            if !fits(&change) {
                return Ok(Self { fragments, finished: false });
            }
            fragments.push(change);
        }
        let shown = |last: &Fragment| last.header.number == head.header.number;
        if fragments.last().is_some_and(shown) {
            return Ok(Self { fragments, finished: true });
        }
        let finished = fits(&head);
        fragments.extend(finished.then_some(head));
        Ok(Self { fragments, finished })
    }
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It has no fragment.
    #[error("empty proof")]
    Empty,
    /// A block is not above the one before it.
    #[error("proof goes back to block {0}")]
    NotRising(BlockNumber),
    /// A certificate is wrong.
    #[error("block {0}: {1}")]
    Certificate(BlockNumber, CertificateError),
    /// A block other than a finished proof's last changes nothing.
    #[error("block {0} does not change the set")]
    NoChange(BlockNumber),
    /// The change names nobody, too many, or comes later.
    #[error("block {0} changes the set in a way that no chain of ours does")]
    BadChange(BlockNumber),
}

/// Where a check of proofs stands: who certifies the blocks to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The set in force behind `number`.
    pub set_id: u64,
    /// Its keys.
    pub members: Vec<AuthorityId>,
    /// The last block that was checked.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: BlockHash,
}

impl Trust {
    /// Checks a proof that goes on from here, and stands behind it then. Nothing
    /// changes on an error.
    ///
    /// # Errors
    /// [`ProofError`], the first rule that is broken.
    pub fn extend(&mut self, proof: &Proof) -> Result<(), ProofError> {
        let mut trust = self.clone();
        let last = proof.fragments.len().checked_sub(1).ok_or(ProofError::Empty)?;
        for (index, Fragment { header, certificate }) in proof.fragments.iter().enumerate() {
            let (hash, number) = (header.hash(), *header.number());
            if number <= trust.number {
                return Err(ProofError::NotRising(number));
            }
            verify_certificate(certificate, hash, number, trust.set_id, trust.members.iter())
                .map_err(|error| ProofError::Certificate(number, error))?;
            (trust.number, trust.hash) = (number, hash);
            match scheduled_change(header) {
                Some(change) => {
                    let members = change.next_authorities;
                    let sensible = change.delay == 0
                        && !members.is_empty()
                        && members.len() <= MAX_SEQUENCERS as usize;
                    if !sensible {
                        return Err(ProofError::BadChange(number));
                    }
                    trust.set_id += 1;
                    trust.members = members.into_iter().map(|(id, _)| id).collect();
                }
                None if index == last && proof.finished => {}
                None => return Err(ProofError::NoChange(number)),
            }
        }
        *self = trust;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Headers, certificates and chains of sets, made by hand.

    use super::*;
    use cascoin_l2_primitives::{
        chain::Header,
        consensus::{precommit_payload, Certificate, GrandpaRound},
    };
    use finality_grandpa::SignedPrecommit;
    use sp_consensus_grandpa::{
        Commit, ConsensusLog, Precommit, ScheduledChange, GRANDPA_ENGINE_ID,
    };
    use sp_core::{ed25519, Pair, H256};
    use sp_runtime::{Digest, DigestItem};

    /// Keys of one set, ascending.
    pub fn pairs(count: u8, set: u8) -> Vec<ed25519::Pair> {
        let mut pairs: Vec<_> = (1..=count)
            .map(|n| {
                let mut seed = [n; 32];
                seed[0] = set;
                ed25519::Pair::from_seed(&seed)
            })
            .collect();
        pairs.sort_by_key(Pair::public);
        pairs
    }

    pub fn ids(pairs: &[ed25519::Pair]) -> Vec<AuthorityId> {
        pairs.iter().map(|pair| pair.public().into()).collect()
    }

    /// A header that puts `next` in force behind it.
    pub fn header(number: u32, parent: H256, next: Option<&[ed25519::Pair]>) -> Header {
        let logs = next.map(|next| {
            let next_authorities = ids(next).into_iter().map(|id| (id, 1)).collect();
            let change = ScheduledChange { next_authorities, delay: 0 };
            let log = ConsensusLog::<u32>::ScheduledChange(change);
            DigestItem::Consensus(GRANDPA_ENGINE_ID, log.encode())
        });
        let digest = Digest { logs: logs.into_iter().collect() };
        Header::new(number, H256::zero(), H256::repeat_byte(number as u8), parent, digest)
    }

    pub fn certificate(header: &Header, set_id: u64, signers: &[ed25519::Pair]) -> Certificate {
        let (target_hash, target_number) = (header.hash(), header.number);
        let round = GrandpaRound { epoch: 0, height: target_number, round: 0 };
        let payload = precommit_payload(target_hash, target_number, round, set_id);
        let precommits = signers
            .iter()
            .map(|pair| SignedPrecommit {
                precommit: Precommit::<Header> { target_hash, target_number },
                signature: pair.sign(&payload).into(),
                id: pair.public().into(),
            })
            .collect();
        Certificate {
            round: round.into(),
            commit: Commit::<Header> { target_hash, target_number, precommits },
            votes_ancestries: Vec::new(),
        }
    }

    pub fn fragment(header: Header, set_id: u64, signers: &[ed25519::Pair]) -> Fragment {
        let certificate = certificate(&header, set_id, signers);
        Fragment { header, certificate }
    }

    /// Trust in a genesis with the first set.
    pub fn genesis() -> Trust {
        Trust { set_id: 0, members: ids(&pairs(4, 0)), number: 0, hash: H256::repeat_byte(9) }
    }

    /// Blocks 10, 20, … that end sets 0, 1, …, and block `10 · changes + 5`, the head.
    pub fn chain(changes: u8) -> (Vec<Fragment>, Fragment) {
        let of = |set: u8| pairs(4, set);
        let ends = (0..changes).map(|set| {
            let number = 10 * (u32::from(set) + 1);
            let header = header(number, H256::zero(), Some(&of(set + 1)));
            fragment(header, set.into(), &of(set)[..3])
        });
        let head = header(10 * u32::from(changes) + 5, H256::zero(), None);
        (ends.collect(), fragment(head, changes.into(), &of(changes)[1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::*, *};
    use codec::DecodeAll;
    use sp_consensus_grandpa::{ConsensusLog, GRANDPA_ENGINE_ID};
    use sp_runtime::DigestItem;
    use std::convert::Infallible;

    fn assemble(changes: &[Fragment], head: &Fragment, limit: usize) -> Proof {
        let changes = changes.iter().cloned().map(Ok::<_, Infallible>);
        Proof::assemble(changes, head.clone(), limit).unwrap()
    }

    #[test]
    fn a_proof_leads_from_genesis_to_the_head() {
        let (changes, head) = chain(3);
        let proof = assemble(&changes, &head, MAX_PROOF_BYTES);
        assert_eq!((proof.fragments.len(), proof.finished), (4, true));
        assert_eq!(Proof::decode_all(&mut &proof.encode()[..]).unwrap(), proof);
        let mut trust = genesis();
        trust.extend(&proof).unwrap();
        assert_eq!((trust.set_id, &trust.members), (3, &ids(&pairs(4, 3))));
        assert_eq!((trust.number, trust.hash), (35, head.header.hash()));
        // From the head on there is nothing but the head, which is not empty.
        let rest = assemble(&[], &head, MAX_PROOF_BYTES);
        assert_eq!((rest.fragments.len(), rest.finished), (1, true));
        assert_eq!(trust.extend(&rest), Err(ProofError::NotRising(35)));
    }

    #[test]
    fn a_head_that_ends_a_set_is_not_there_twice() {
        let (changes, _) = chain(2);
        let proof = assemble(&changes, &changes[1], MAX_PROOF_BYTES);
        assert_eq!((proof.fragments.len(), proof.finished), (2, true));
        let mut trust = genesis();
        trust.extend(&proof).unwrap();
        assert_eq!((trust.number, trust.set_id), (20, 2));
    }

    #[test]
    fn what_does_not_fit_comes_with_the_next_proof() {
        let (changes, head) = chain(5);
        let one = changes[0].encoded_size();
        let mut trust = genesis();
        let mut rest = &changes[..];
        let mut proofs = 0;
        loop {
            let proof = assemble(rest, &head, 2 * one + OVERHEAD_BYTES);
            assert!(proof.encoded_size() <= 2 * one + OVERHEAD_BYTES);
            trust.extend(&proof).unwrap();
            proofs += 1;
            if proof.finished {
                break;
            }
            rest = &rest[proof.fragments.len()..];
        }
        assert_eq!((proofs, trust.number), (3, 55));
    }

    #[test]
    fn a_missing_change_stops_the_assembly() {
        let (_, head) = chain(1);
        let failed = Proof::assemble([Err("missing")], head, MAX_PROOF_BYTES);
        assert_eq!(failed, Err("missing"));
    }

    /// Each falsification of a good proof, and what it is refused for.
    #[test]
    fn tampered_proofs_are_refused_and_change_nothing() {
        use CertificateError as Bad;
        type Edit = Box<dyn Fn(&mut Proof)>;
        let quorum_less_one = |proof: &mut Proof| {
            proof.fragments[1].certificate.commit.precommits.pop();
        };
        let foreign_change = |proof: &mut Proof| {
            // The liars' own keys in a block that the honest certified otherwise.
            let header = header(10, Default::default(), Some(&pairs(4, 66)));
            proof.fragments[0].header = header;
        };
        let skipped = |proof: &mut Proof| {
            proof.fragments.remove(1);
        };
        let wrong_set_id = |proof: &mut Proof| {
            let header = proof.fragments[1].header.clone();
            proof.fragments[1] = fragment(header, 0, &pairs(4, 1)[..3]);
        };
        let old_set = |proof: &mut Proof| {
            let header = proof.fragments[1].header.clone();
            proof.fragments[1] = fragment(header, 1, &pairs(4, 0)[..3]);
        };
        let ordinary_between = |proof: &mut Proof| {
            let plain = fragment(header(15, Default::default(), None), 1, &pairs(4, 1)[..3]);
            proof.fragments.insert(1, plain);
        };
        let back = |proof: &mut Proof| {
            let early = header(7, Default::default(), Some(&pairs(4, 2)));
            proof.fragments[1] = fragment(early, 1, &pairs(4, 1)[..3]);
        };
        let unfinished = |proof: &mut Proof| proof.finished = false;
        let nobody = |proof: &mut Proof| {
            proof.fragments[0] =
                fragment(header(10, Default::default(), Some(&[])), 0, &pairs(4, 0)[..3]);
        };
        let late = |proof: &mut Proof| {
            let mut header = proof.fragments[0].header.clone();
            let mut change = scheduled_change(&header).unwrap();
            change.delay = 1;
            let log = ConsensusLog::ScheduledChange(change).encode();
            header.digest.logs = vec![DigestItem::Consensus(GRANDPA_ENGINE_ID, log)];
            proof.fragments[0] = fragment(header, 0, &pairs(4, 0)[..3]);
        };
        let forced = |proof: &mut Proof| {
            let mut header = proof.fragments[0].header.clone();
            let change = scheduled_change(&header).unwrap();
            let log = ConsensusLog::<u32>::ForcedChange(0, change);
            header.digest.logs = vec![DigestItem::Consensus(GRANDPA_ENGINE_ID, log.encode())];
            proof.fragments[0] = fragment(header, 0, &pairs(4, 0)[..3]);
        };
        let cases: Vec<(Edit, ProofError)> = vec![
            (Box::new(|proof| proof.fragments.clear()), ProofError::Empty),
            (Box::new(quorum_less_one), ProofError::Certificate(20, Bad::NoQuorum)),
            (Box::new(foreign_change), ProofError::Certificate(10, Bad::WrongTarget)),
            (Box::new(skipped), ProofError::Certificate(25, Bad::NotAMember)),
            (Box::new(wrong_set_id), ProofError::Certificate(20, Bad::BadSignature)),
            (Box::new(old_set), ProofError::Certificate(20, Bad::NotAMember)),
            (Box::new(ordinary_between), ProofError::NoChange(15)),
            (Box::new(back), ProofError::NotRising(7)),
            (Box::new(unfinished), ProofError::NoChange(25)),
            (Box::new(nobody), ProofError::BadChange(10)),
            (Box::new(late), ProofError::BadChange(10)),
            (Box::new(forced), ProofError::NoChange(10)),
        ];
        let (changes, head) = chain(2);
        let good = assemble(&changes, &head, MAX_PROOF_BYTES);
        for (edit, expected) in cases {
            let mut proof = good.clone();
            edit(&mut proof);
            let mut trust = genesis();
            assert_eq!(trust.extend(&proof), Err(expected));
            assert_eq!(trust, genesis());
        }
        assert_eq!(genesis().extend(&good), Ok(()));
    }
}
