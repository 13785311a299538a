//! Our words in Malachite's terms: what its driver wants to know about addresses, values, votes.
//!
//! A validator is its index, a value is our block, nothing is signed, and nobody weighs more than
//! another.

use std::{fmt, time::Duration};

use arc_malachitebft_core_types as malachite;
use cascoin_bft::{BlockId, LeaderOrder, SequencerIndex};
use malachite::{NilOrVal, Round, SignedExtension, VoteType, VotingPower};

#[derive(Clone, Debug)]
pub struct Context {
    pub leaders: LeaderOrder,
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl malachite::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0 + n)
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub SequencerIndex);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 .0)
    }
}

impl malachite::Address for Address {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value(pub BlockId);

/// The block is its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueId(pub BlockId);

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl malachite::Value for Value {
    type Id = ValueId;

    fn id(&self) -> ValueId {
        ValueId(self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator(Address);

impl malachite::Validator<Context> for Validator {
    fn address(&self) -> &Address {
        &self.0
    }

    fn public_key(&self) -> &() {
        &()
    }

    fn voting_power(&self) -> VotingPower {
        1
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators(Vec<Validator>);

impl Validators {
    pub fn new(sequencers: u16) -> Self {
        Self((0..sequencers).map(|index| Validator(Address(SequencerIndex(index)))).collect())
    }
}

impl malachite::ValidatorSet<Context> for Validators {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.0.len() as VotingPower
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.get(usize::from(address.0 .0))
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub round: Round,
    pub value: Value,
    pub pol_round: Round,
    pub proposer: Address,
}

/// The height of all tests.
const HEIGHT: Height = Height(1);

impl malachite::Proposal<Context> for Proposal {
    fn height(&self) -> Height {
        HEIGHT
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Value {
        &self.value
    }

    fn take_value(self) -> Value {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub kind: VoteType,
    pub round: Round,
    pub value: NilOrVal<ValueId>,
    pub voter: Address,
}

impl malachite::Vote<Context> for Vote {
    fn height(&self) -> Height {
        HEIGHT
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<ValueId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<ValueId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    fn extension(&self) -> Option<&SignedExtension<Context>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Context>> {
        None
    }

    fn extend(self, _: SignedExtension<Context>) -> Self {
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part;

impl malachite::ProposalPart<Context> for Part {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts;

impl malachite::Timeouts<Context> for Timeouts {
    fn duration_for(&self, _: malachite::Timeout) -> Duration {
        Duration::ZERO
    }
}

/// Messages reach the core with their signatures already checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned;

impl malachite::SigningScheme for Unsigned {
    type DecodingError = String;
    type Signature = ();
    type PublicKey = ();
    type PrivateKey = ();

    fn decode_signature(_: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn encode_signature(_: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_public_key(_: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn encode_public_key(_: &()) -> Vec<u8> {
        Vec::new()
    }
}

impl malachite::Context for Context {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = Timeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Unsigned;

    fn select_proposer<'a>(&self, all: &'a Validators, _: Height, round: Round) -> &'a Validator {
        let round = u16::try_from(round.as_u32().unwrap_or_default()).unwrap_or(u16::MAX);
        &all.0[usize::from(self.leaders.leader(cascoin_bft::Round(round)).0)]
    }

    fn new_proposal(
        &self,
        _: Height,
        round: Round,
        value: Value,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { round, value, pol_round, proposer }
    }

    fn new_prevote(
        &self,
        _: Height,
        round: Round,
        value: NilOrVal<ValueId>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, round, value, voter }
    }

    fn new_precommit(
        &self,
        _: Height,
        round: Round,
        value: NilOrVal<ValueId>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, round, value, voter }
    }
}
