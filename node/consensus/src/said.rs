//! What a signed message says: the way back from the bytes that were signed.
//!
//! Nothing is read that would not be signed with exactly these bytes.

use crate::wire::{Instance, SignedProposal, SignedVote, SigningContext};
use cascoin_bft::{BlockId, Height, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::consensus::{GrandpaRound, BFT_DOMAIN};

/// Before the set id in a `bft_message`, behind its domain: genesis, epoch.
const BFT_HEAD: usize = 32 + 1;
/// The tag of a GRANDPA precommit.
const PRECOMMIT: u8 = 1;

/// A vote or a proposal, of whoever signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A vote.
    Vote(Vote),
    /// A proposal.
    Proposal(Proposal),
}

impl Said {
    /// Reads what `speaker` signed in a context; `None` if it is nothing, or of another chain,
    /// set or epoch.
    pub(crate) fn read(
        message: &[u8],
        context: &SigningContext,
        speaker: SequencerIndex,
    ) -> Option<Self> {
        let (said, _) = Self::parse(message, speaker)?;
        (said.payload(context) == message).then_some(said)
    }

    /// The height and set of a message, whatever its chain.
    pub(crate) fn instance_of(message: &[u8]) -> Option<Instance> {
        let (said, set_id) = Self::parse(message, SequencerIndex(0))?;
        let height = match said {
            Self::Vote(vote) => vote.height,
            Self::Proposal(proposal) => proposal.height,
        };
        Some(Instance { height, set_id })
    }

    fn payload(&self, context: &SigningContext) -> Vec<u8> {
        match self {
            Self::Vote(vote) => SignedVote::payload(vote, context),
            Self::Proposal(proposal) => SignedProposal::payload(proposal, context),
        }
    }

    /// What it says, and in which set; the rest of the context is not looked at.
    fn parse(message: &[u8], speaker: SequencerIndex) -> Option<(Self, u64)> {
        match message.strip_prefix(BFT_DOMAIN) {
            Some(rest) => bft(rest.get(BFT_HEAD..)?, speaker),
            None => precommit(message, speaker),
        }
    }
}

/// `set_id u64 ‖ height u32 ‖ round u16 ‖ step u8 ‖ hash or 0³² ‖ valid_round i32`.
fn bft(mut rest: &[u8], speaker: SequencerIndex) -> Option<(Said, u64)> {
    let set_id = u64::from_le_bytes(take(&mut rest)?);
    let height = Height(u32::from_le_bytes(take(&mut rest)?));
    let round = Round(u16::from_le_bytes(take(&mut rest)?));
    let [step] = take(&mut rest)?;
    let hash: [u8; 32] = take(&mut rest)?;
    let valid_round = u16::try_from(i32::from_le_bytes(take(&mut rest)?)).ok().map(Round);
    let block = (hash != [0; 32]).then_some(BlockId(hash));
    let vote = |kind, block| Said::Vote(Vote { kind, height, round, block, voter: speaker });
    let said = match step {
        0 => Said::Proposal(Proposal {
            height,
            round,
            block: BlockId(hash),
            valid_round,
            proposer: speaker,
        }),
        1 => vote(VoteKind::Prevote, block),
        2 => vote(VoteKind::Precommit, None),
        _ => return None,
    };
    Some((said, set_id))
}

/// `tag u8 ‖ hash ‖ number u32 ‖ round u64 ‖ set_id u64`.
fn precommit(mut rest: &[u8], speaker: SequencerIndex) -> Option<(Said, u64)> {
    let [PRECOMMIT] = take(&mut rest)? else { return None };
    let hash: [u8; 32] = take(&mut rest)?;
    let number = u32::from_le_bytes(take(&mut rest)?);
    let round = GrandpaRound::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
    let set_id = u64::from_le_bytes(take(&mut rest)?);
    let vote = Vote {
        kind: VoteKind::Precommit,
        height: Height(number),
        round: Round(round.round),
        block: Some(BlockId(hash)),
        voter: speaker,
    };
    Some((Said::Vote(vote), set_id))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sp_core::H256;

    const ME: SequencerIndex = SequencerIndex(2);

    fn said() -> impl Strategy<Value = Said> {
        let block = any::<[u8; 32]>().prop_filter("nil", |hash| *hash != [0; 32]).prop_map(BlockId);
        let vote = (any::<bool>(), any::<u32>(), any::<u16>(), prop::option::of(block.clone()));
        let vote = vote.prop_map(|(prevote, height, round, block)| {
            let kind = if prevote { VoteKind::Prevote } else { VoteKind::Precommit };
            Said::Vote(Vote { kind, height: Height(height), round: Round(round), block, voter: ME })
        });
        let proposal = (any::<u32>(), any::<u16>(), prop::option::of(any::<u16>()), block);
        let proposal = proposal.prop_map(|(height, round, valid_round, block)| {
            Said::Proposal(Proposal {
                height: Height(height),
                round: Round(round),
                block,
                valid_round: valid_round.map(Round),
                proposer: ME,
            })
        });
        prop_oneof![vote, proposal]
    }

    fn height(said: &Said) -> Height {
        match said {
            Said::Vote(vote) => vote.height,
            Said::Proposal(proposal) => proposal.height,
        }
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_in_its_own_context_only(
            said in said(),
            genesis in any::<[u8; 32]>(),
            set_id in any::<u64>(),
        ) {
            let context = SigningContext { genesis: H256(genesis), set_id };
            let message = said.payload(&context);
            prop_assert_eq!(Said::read(&message, &context, ME), Some(said));
            let instance = Instance { height: height(&said), set_id };
            prop_assert_eq!(Said::instance_of(&message), Some(instance));
            let other = SigningContext { set_id: set_id ^ 1, ..context };
            prop_assert_eq!(Said::read(&message, &other, ME), None);
        }

        /// Bytes that are not exactly a message say nothing, or something else.
        #[test]
        fn a_changed_message_is_not_the_same(
            said in said(),
            at in any::<prop::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let context = SigningContext { genesis: H256([1; 32]), set_id: 3 };
            let mut message = said.payload(&context);
            let at = at.index(message.len());
            message[at] ^= flip;
            prop_assert_ne!(Said::read(&message, &context, ME), Some(said));
            message.push(0);
            prop_assert_eq!(Said::read(&message, &context, ME), None);
            prop_assert_eq!(Said::read(&message[..at], &context, ME), None);
        }
    }
}
