//! What a message is that a key is asked to sign.
//!
//! Two forms are votes, and cannot be confused with anything else that these keys sign:
//! what begins with `CASL2BFT1`, and the 53 bytes of a GRANDPA precommit. Greetings begin
//! with `CASL2HEL1`, proofs of possession with `POP_`, and a header's hash has 32 bytes.

use cascoin_l2_primitives::consensus::{GrandpaRound, BFT_DOMAIN};
use codec::{Decode, Encode};

/// Length of `bft_message`.
const BFT_LENGTH: usize = 93;
/// Length of a GRANDPA payload.
const GRANDPA_LENGTH: usize = 53;
/// The tag of a GRANDPA precommit; 0 is a prevote, 2 a primary proposal.
const GRANDPA_PRECOMMIT: u8 = 1;

/// What a vote is about, in the order in which an honest node says it. A height may come to
/// another set, with a higher id, by a hand-over (R17.6): then the key signs in that one, and
/// never again in the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Position {
    /// Recovery epoch.
    pub epoch: u8,
    /// Height.
    pub height: u32,
    /// Id of the set of sequencers.
    pub set_id: u64,
    /// Round.
    pub round: u16,
    /// 0 proposal, 1 prevote, 2 precommit, for a block or nil.
    pub step: u8,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = ["proposal", "prevote", "precommit"].get(usize::from(self.step));
        let (height, round, set_id) = (self.height, self.round, self.set_id);
        write!(f, "{} of height {height} round {round} set {set_id}", step.unwrap_or(&"?"))?;
        if self.epoch > 0 {
            write!(f, " epoch {}", self.epoch)?;
        }
        Ok(())
    }
}

/// A message, as the signer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A vote or a proposal of a block.
    Vote {
        /// What it is about.
        position: Position,
        /// The chain's genesis, where the message says it; a precommit for a block does not.
        genesis: Option<[u8; 32]>,
    },
    /// Nothing that an honest node signs, with the reason.
    Never(&'static str),
    /// Not a vote.
    Other,
}

/// Reads a message.
pub fn classify(message: &[u8]) -> Message {
    if message.starts_with(BFT_DOMAIN) {
        bft(message).unwrap_or(Message::Never("a malformed vote"))
    } else if message.len() == GRANDPA_LENGTH && message[0] <= 2 {
        grandpa(message).unwrap_or(Message::Never("a GRANDPA message that is no precommit of ours"))
    } else {
        Message::Other
    }
}

fn bft(message: &[u8]) -> Option<Message> {
    if message.len() != BFT_LENGTH {
        return None;
    }
    let mut rest = message.get(BFT_DOMAIN.len()..)?;
    let genesis: [u8; 32] = take(&mut rest)?;
    let [epoch]: [u8; 1] = take(&mut rest)?;
    let set_id = u64::from_le_bytes(take(&mut rest)?);
    let height = u32::from_le_bytes(take(&mut rest)?);
    let round = u16::from_le_bytes(take(&mut rest)?);
    let [step]: [u8; 1] = take(&mut rest)?;
    let position = Position { epoch, height, set_id, round, step };
    (step <= 2).then_some(Message::Vote { position, genesis: Some(genesis) })
}

fn grandpa(message: &[u8]) -> Option<Message> {
    let mut rest = message;
    let [tag]: [u8; 1] = take(&mut rest)?;
    let _hash: [u8; 32] = take(&mut rest)?;
    let number = u32::from_le_bytes(take(&mut rest)?);
    let round = GrandpaRound::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
    let set_id = u64::from_le_bytes(take(&mut rest)?);
    if tag != GRANDPA_PRECOMMIT || number != round.height {
        return None;
    }
    let GrandpaRound { epoch, height, round } = round;
    let position = Position { epoch, height, set_id, round, step: 2 };
    Some(Message::Vote { position, genesis: None })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::consensus::{bft_message, hello_message, precommit_payload, Step};
    use proptest::prelude::*;
    use sp_core::H256;

    proptest! {
        #[test]
        fn votes_are_read_as_they_are_made(
            epoch in any::<u8>(),
            height in any::<u32>(),
            round in any::<u16>(),
            set_id in any::<u64>(),
            hash in any::<[u8; 32]>(),
            genesis in any::<[u8; 32]>(),
        ) {
            let (at, hash) = (GrandpaRound { epoch, height, round }, H256(hash));
            for step in [Step::Proposal, Step::Prevote, Step::NilPrecommit] {
                let made = bft_message(&H256(genesis), set_id, at, step, Some(&hash), None);
                let position = Position { epoch, height, set_id, round, step: step as u8 };
                let read = Message::Vote { position, genesis: Some(genesis) };
                prop_assert_eq!(classify(&made), read);
            }
            let position = Position { epoch, height, set_id, round, step: 2 };
            let precommit = precommit_payload(hash, height, at, set_id);
            prop_assert_eq!(classify(&precommit), Message::Vote { position, genesis: None });
        }

        /// Whatever is not exactly a vote, but could be taken for one, is not signed.
        #[test]
        fn what_resembles_a_vote_is_a_vote_or_refused(
            tail in prop::collection::vec(any::<u8>(), 0..120),
            grandpa in prop::collection::vec(any::<u8>(), GRANDPA_LENGTH),
            tag in 0..=2u8,
        ) {
            let domain = [BFT_DOMAIN.as_slice(), &tail].concat();
            prop_assert_ne!(classify(&domain), Message::Other);
            let mut grandpa = grandpa;
            grandpa[0] = tag;
            prop_assert_ne!(classify(&grandpa), Message::Other);
        }
    }

    #[test]
    fn other_messages_are_no_votes() {
        let hello = hello_message(&H256([1; 32]), 0, &[2; 38], &[3; 38], 4);
        let owner = [b"POP_".as_slice(), &[7; 32]].concat();
        // As long as a GRANDPA payload: it still begins otherwise.
        let long_owner = [b"POP_".as_slice(), &[1; 49]].concat();
        for message in [&hello[..], &owner, &long_owner, &[9; 32]] {
            assert_eq!(classify(message), Message::Other);
        }
    }

    #[test]
    fn grandpa_prevotes_and_precommits_of_other_blocks_are_refused() {
        let at = GrandpaRound { epoch: 0, height: 5, round: 1 };
        let mut prevote = precommit_payload(H256([1; 32]), 5, at, 0);
        prevote[0] = 0;
        assert!(matches!(classify(&prevote), Message::Never(_)));
        let elsewhere = precommit_payload(H256([1; 32]), 6, at, 0);
        assert!(matches!(classify(&elsewhere), Message::Never(_)));
    }

    #[test]
    fn steps_are_ordered_as_they_are_said() {
        let at = |height, round, step| Position { epoch: 0, height, set_id: 3, round, step };
        assert!(
            at(1, 0, 0) < at(1, 0, 1) && at(1, 0, 2) < at(1, 1, 0) && at(1, 9, 2) < at(2, 0, 0)
        );
    }

    /// R17.6: a later set of the same height is above all rounds of the earlier one, and below
    /// the next height.
    #[test]
    fn r17_6_a_later_set_of_a_height_comes_after_the_earlier_one() {
        let at = |height, set_id, round, step| Position { epoch: 0, height, set_id, round, step };
        assert!(at(1, 0, 9, 2) < at(1, 2, 0, 0) && at(1, 2, 9, 2) < at(2, 2, 0, 0));
        assert_eq!(at(1, 2, 0, 1).to_string(), "prevote of height 1 round 0 set 2");
    }
}
