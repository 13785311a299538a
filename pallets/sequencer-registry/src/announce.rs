//! From an announcement to a seat.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Endpoint, Outcome, MAX_CANDIDATES},
    election::{self, Contender},
    pallet::{
        ActiveSequencers, Banned, Candidates, Config, Elected, Error, Event, Members, Pallet,
    },
    session::{can_form_a_set, seated},
    Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{CandidateInfo, Eligibility},
    chain::{AccountId, Balance, MAX_SEQUENCERS},
    reputation::ReputationProvider,
    sequencers::{SequencerSetProvider, StakeCommitment, StakeProvider},
};
use frame_support::{
    ensure,
    traits::{Contains, Get},
    BoundedVec,
};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// Whether an account may sequence, by what the chain knows of it (R2.3).
    pub fn eligibility(account: &AccountId) -> Eligibility {
        let parameters = T::Parameters::get();
        let score = T::Reputation::score(account);
        let stake = T::Stake::stake(account);
        let banned = Banned::<T>::contains_key(account);
        let suffices = !banned
            && score.get() >= parameters.min_sequencer_score
            && stake >= parameters.min_sequencer_stake;
        Eligibility { score, stake, banned, suffices }
    }

    /// Everybody who announced itself, by account.
    pub fn candidate_list() -> Vec<CandidateInfo> {
        let elected = Elected::<T>::get();
        let mut all: Vec<_> = Candidates::<T>::iter()
            .map(|(account, candidate)| {
                let poll = match candidate.attestation {
                    Attestation::Open(poll) if poll.set_id == T::SetId::get() => poll,
                    _ => Default::default(),
                };
                CandidateInfo {
                    eligibility: Self::eligibility(&account),
                    attested: candidate.attestation == Attestation::Given,
                    asked: poll.sample.count().saturated_into(),
                    approved: poll.approved.count().saturated_into(),
                    refused: poll.refused.count().saturated_into(),
                    elected: elected.iter().any(|seat| seat.account == account),
                    controller: candidate.controller,
                    endpoint: candidate.endpoint.into_inner(),
                    announced_at: candidate.announced_at,
                    account,
                }
            })
            .collect();
        all.sort_by(|a, b| a.account.cmp(&b.account));
        all
    }

    /// Returns how many candidates were looked at.
    pub(crate) fn do_announce(
        account: AccountId,
        endpoint: Endpoint,
        controller: Option<AccountId>,
    ) -> Result<u32, Error<T>> {
        let parameters = T::Parameters::get();
        let Eligibility { score, stake, banned, .. } = Self::eligibility(&account);
        ensure!(!banned, Error::<T>::IsBanned);
        ensure!(score.get() >= parameters.min_sequencer_score, Error::<T>::ScoreTooLow);
        ensure!(stake >= parameters.min_sequencer_stake, Error::<T>::StakeTooLow);
        let known = Candidates::<T>::contains_key(&account)
            || Members::<T>::get().iter().any(|member| member.account == account);
        ensure!(!known, Error::<T>::AlreadyCandidate);
        let mut looked_at = 0;
        if Candidates::<T>::count() >= MAX_CANDIDATES {
            looked_at = MAX_CANDIDATES;
            Self::displace(election::weight(score, stake, parameters.decimals))?;
        }
        let controller = controller.unwrap_or_else(|| account.clone());
        let announced_at = frame_system::Pallet::<T>::block_number().saturated_into();
        // Asked is when the session ends, by a chance that nobody knows now.
        let attestation = Attestation::Open(Default::default());
        let candidate = Candidate { announced_at, controller, endpoint, attestation };
        Candidates::<T>::insert(&account, candidate);
        Self::deposit_event(Event::Announced { account });
        Ok(looked_at)
    }

    /// Makes room by removing the candidate without a seat that weighs least, if it
    /// weighs less than `weight`.
    fn displace(weight: u64) -> Result<(), Error<T>> {
        let decimals = T::Parameters::get().decimals;
        let elected = Elected::<T>::get();
        let without_seat = Candidates::<T>::iter_keys()
            .filter(|account| !elected.iter().any(|seat| seat.account == *account));
        let weights = without_seat.map(|account| {
            let (score, stake) = (T::Reputation::score(&account), T::Stake::stake(&account));
            (election::weight(score, stake, decimals), account)
        });
        let (least, account) = weights.min().ok_or(Error::<T>::TooManyCandidates)?;
        ensure!(least < weight, Error::<T>::TooManyCandidates);
        Candidates::<T>::remove(&account);
        Self::deposit_event(Event::Displaced { account });
        Ok(())
    }

    pub(crate) fn do_attest(
        sequencer: &AccountId,
        account: AccountId,
        approves: bool,
    ) -> Result<(), Error<T>> {
        let mut candidate = Candidates::<T>::get(&account).ok_or(Error::<T>::NotACandidate)?;
        let Attestation::Open(mut poll) = candidate.attestation else {
            return Err(Error::NoPoll);
        };
        ensure!(poll.set_id == T::SetId::get() && poll.sample.count() > 0, Error::<T>::NoPoll);
        let active = ActiveSequencers::<T>::get();
        let index = active.iter().position(|active| active.account == *sequencer);
        let index = index.and_then(|index| u16::try_from(index).ok()).ok_or(Error::<T>::NotAsked)?;
        ensure!(poll.answer(index, approves), Error::<T>::NotAsked);
        candidate.attestation = Attestation::Open(poll);
        match poll.outcome() {
            Outcome::Refused => {
                Candidates::<T>::remove(&account);
                Self::deposit_event(Event::Refused { account });
                return Ok(());
            }
            Outcome::Given => {
                candidate.attestation = Attestation::Given;
                Self::deposit_event(Event::Attested { account: account.clone() });
            }
            Outcome::Open => {}
        }
        Candidates::<T>::insert(&account, candidate);
        Ok(())
    }

    /// Asks a sample of the set in force about each candidate that waits. One that was
    /// asked about and not decided is asked about anew: the set or its nodes may have
    /// changed.
    pub(crate) fn open_polls() {
        let (set_id, members) = (T::SetId::get(), <Self as SequencerSetProvider>::members());
        let seed = T::Seed::get();
        let waiting: Vec<_> = Candidates::<T>::iter()
            .filter(|(_, candidate)| matches!(candidate.attestation, Attestation::Open(_)))
            .collect();
        for (account, mut candidate) in waiting {
            let poll = attestation::open(set_id, members, &account, &seed);
            candidate.attestation = Attestation::Open(poll);
            Candidates::<T>::insert(&account, candidate);
        }
    }

    /// Draws the seats that members leave.
    pub(crate) fn hold_election() {
        let parameters = T::Parameters::get();
        let members = Members::<T>::get();
        let most = (parameters.max_sequencers as usize).min(MAX_SEQUENCERS as usize);
        let seats = most.saturating_sub(members.len());
        let contenders = Candidates::<T>::iter().filter_map(|(account, candidate)| {
            let Eligibility { score, stake, suffices, .. } = Self::eligibility(&account);
            let stands = suffices
                && candidate.attestation == Attestation::Given
                && T::HasKeys::contains(&account);
            stands.then_some(Contender { account, entity: candidate.controller, score, stake })
        });
        let taken: Vec<_> = members.iter().map(|member| member.account.clone()).collect();
        let elected = election::elect(
            &T::Seed::get(),
            contenders.collect(),
            seats,
            &taken,
            parameters.decimals,
        );
        let elected: Vec<_> =
            elected.into_iter().map(|(account, weight)| Member { account, weight }).collect();
        let everybody: Vec<_> = members.iter().chain(&elected).cloned().collect();
        // With too few the old set goes on (R2b.8).
        if elected.len() < Elected::<T>::decode_len().unwrap_or(0)
            && !can_form_a_set::<T>(&everybody)
        {
            return;
        }
        if elected.is_empty() && !Elected::<T>::exists() {
            return;
        }
        Self::deposit_event(Event::ElectionHeld { elected: elected.len().saturated_into() });
        // At most as many as fit, so nothing is cut.
        Elected::<T>::put(BoundedVec::truncate_from(elected));
    }

    /// Takes the seat of a candidate, if it has one and enough others are left;
    /// `false` if they are not.
    pub(crate) fn take_seat(account: &AccountId) -> bool {
        let mut elected = Elected::<T>::get();
        let before = elected.len();
        elected.retain(|seat| seat.account != *account);
        if elected.len() == before {
            return true;
        }
        let left: Vec<_> = Members::<T>::get().into_iter().chain(elected.clone()).collect();
        if !can_form_a_set::<T>(&left) {
            return false;
        }
        Elected::<T>::put(elected);
        true
    }
}

/// Candidates, and who has a seat without being appointed, must keep the stake that a
/// sequencer needs.
impl<T: Config> StakeCommitment for Pallet<T> {
    fn committed(account: &AccountId) -> Balance {
        let appointed = Members::<T>::get().iter().any(|member| member.account == *account);
        let seated = ActiveSequencers::<T>::get().iter().any(|one| one.account == *account)
            || seated::<T>(&[]).iter().any(|seat| seat.account == *account);
        if Candidates::<T>::contains_key(account) || (seated && !appointed) {
            T::Parameters::get().min_sequencer_stake
        } else {
            0
        }
    }
}
