//! Announcements, and the polls about them.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Endpoint, Outcome, Wait, MAX_CANDIDATES},
    election,
    pallet::{
        ActiveSequencers, Banned, Candidates, Clock, Config, Elected, Error, Event, Members,
        Pallet, RefusedUntil,
    },
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{CandidateInfo, Eligibility},
    chain::{AccountId, Balance},
    relay::L1Chance,
    reputation::ReputationProvider,
    sequencers::{StakeCommitment, StakeProvider},
};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use sp_io::hashing::sha2_256;
use sp_runtime::SaturatedConversion;
use sp_staking::SessionIndex;

/// Epochs for which sequencers vouch. Who has a seat then need not be vouched for again:
/// everybody sees that it is there.
const ATTESTED_EPOCHS: u32 = 24;

impl<T: Config> Pallet<T> {
    /// Whether an account may sequence, by what the chain knows of it (R2.3).
    pub fn eligibility(account: &AccountId) -> Eligibility {
        let parameters = T::Parameters::get();
        let score = T::Reputation::sequencer_score(account);
        let parts = T::Stake::parts(account);
        let stake = parts.counting(T::Stake::min_l2_share());
        let banned = Banned::<T>::contains_key(account);
        let suffices = !banned
            && score.get() >= parameters.min_sequencer_score
            && stake >= parameters.min_sequencer_stake;
        Eligibility { score, stake, parts, banned, suffices }
    }

    /// Everybody who announced itself, by account.
    pub fn candidate_list() -> Vec<CandidateInfo> {
        let elected = Elected::<T>::get();
        let mut all: Vec<_> = Candidates::<T>::iter()
            .map(|(account, candidate)| {
                let poll = match &candidate.attestation {
                    Attestation::Open(poll) => Some(poll),
                    _ => None,
                };
                CandidateInfo {
                    eligibility: Self::eligibility(&account),
                    attested: matches!(candidate.attestation, Attestation::Given { .. }),
                    asked: poll.map(|poll| poll.sample.to_vec()).unwrap_or_default(),
                    approved: poll.map_or(0, |poll| poll.approved.count().saturated_into()),
                    refused: poll.map_or(0, |poll| poll.refused.count().saturated_into()),
                    elected: elected.iter().any(|seat| seat.account == account),
                    controller: candidate.controller,
                    confirmed: candidate.confirmed,
                    endpoint: candidate.endpoint.into_inner(),
                    announced_at: candidate.announced_at,
                    account,
                }
            })
            .collect();
        all.sort_by(|a, b| a.account.cmp(&b.account));
        all
    }

    /// Returns whether it displaced another candidate.
    pub(crate) fn do_announce(
        account: AccountId,
        endpoint: Endpoint,
        controller: Option<AccountId>,
    ) -> Result<bool, Error<T>> {
        let parameters = T::Parameters::get();
        let Eligibility { score, stake, banned, .. } = Self::eligibility(&account);
        ensure!(!banned, Error::<T>::IsBanned);
        ensure!(score.get() >= parameters.min_sequencer_score, Error::<T>::ScoreTooLow);
        ensure!(stake >= parameters.min_sequencer_stake, Error::<T>::StakeTooLow);
        let known = Candidates::<T>::contains_key(&account)
            || Members::<T>::get().iter().any(|member| member.account == account);
        ensure!(!known, Error::<T>::AlreadyCandidate);
        let until = RefusedUntil::<T>::get(&account).unwrap_or_default();
        ensure!(Clock::<T>::get() >= until, Error::<T>::RefusedLately);
        let full = Candidates::<T>::count() >= MAX_CANDIDATES;
        if full {
            Self::displace(election::weight(score, stake, parameters.decimals))?;
        }
        let controller = controller.unwrap_or_else(|| account.clone());
        let candidate = Candidate {
            announced_at: frame_system::Pallet::<T>::block_number().saturated_into(),
            confirmed: controller == account,
            controller,
            endpoint,
            weight: 0,
            attestation: Attestation::Waiting(Self::wait(Clock::<T>::get())),
        };
        RefusedUntil::<T>::remove(&account);
        Candidates::<T>::insert(&account, candidate);
        Self::deposit_event(Event::Announced { account });
        Ok(full)
    }

    /// Makes room by removing the candidate without a seat that weighs least, if it
    /// weighs less than `weight`.
    pub(crate) fn displace(weight: u64) -> Result<(), Error<T>> {
        let decimals = T::Parameters::get().decimals;
        let elected = Elected::<T>::get();
        let without_seat = Candidates::<T>::iter_keys()
            .filter(|account| !elected.iter().any(|seat| seat.account == *account));
        let weights = without_seat.map(|account| {
            let score = T::Reputation::sequencer_score(&account);
            (election::weight(score, T::Stake::stake(&account), decimals), account)
        });
        let (least, account) = weights.min().ok_or(Error::<T>::TooManyCandidates)?;
        ensure!(least < weight, Error::<T>::TooManyCandidates);
        Candidates::<T>::remove(&account);
        Self::deposit_event(Event::Displaced { account });
        Ok(())
    }

    pub(crate) fn do_accept(controller: &AccountId, account: &AccountId) -> Result<(), Error<T>> {
        let mut candidate = Candidates::<T>::get(account).ok_or(Error::<T>::NotACandidate)?;
        ensure!(candidate.controller == *controller, Error::<T>::NotTheController);
        candidate.confirmed = true;
        Candidates::<T>::insert(account, candidate);
        Ok(())
    }

    pub(crate) fn do_attest(
        sequencer: &AccountId,
        account: AccountId,
        approves: bool,
    ) -> Result<(), Error<T>> {
        let mut candidate = Candidates::<T>::get(&account).ok_or(Error::<T>::NotACandidate)?;
        let Attestation::Open(poll) = &mut candidate.attestation else {
            return Err(Error::NoPoll);
        };
        let active = ActiveSequencers::<T>::get();
        ensure!(active.iter().any(|active| active.account == *sequencer), Error::<T>::NotAsked);
        ensure!(poll.answer(sequencer, approves), Error::<T>::NotAsked);
        match poll.outcome(T::Parameters::get().min_sequencer_peers) {
            Outcome::Refused => {
                Candidates::<T>::remove(&account);
                let until = Clock::<T>::get().saturating_add(Self::epoch());
                RefusedUntil::<T>::insert(&account, until);
                Self::deposit_event(Event::Refused { account });
                return Ok(());
            }
            Outcome::Given => {
                candidate.attestation = Attestation::Given { since: Clock::<T>::get() };
                Self::deposit_event(Event::Attested { account: account.clone() });
            }
            Outcome::Open => {}
        }
        Candidates::<T>::insert(&account, candidate);
        Ok(())
    }

    /// Sessions of an epoch, at least 1.
    pub(crate) fn epoch() -> SessionIndex {
        T::Parameters::get().epoch_sessions.max(1)
    }

    /// A wait for chance that begins in `session`.
    pub(crate) fn wait(session: SessionIndex) -> Wait {
        Wait { l1_height: T::Chance::unknown_height(), since: session }
    }

    /// The chance that was waited for, once it is there: an L1 block that nobody knew
    /// when the wait began. Where L1 stands still for an epoch, the last L2 block, whose
    /// leader could choose among many: nothing better is left then.
    pub(crate) fn roll(wait: Wait, session: SessionIndex) -> Option<[u8; 32]> {
        if let Some(hash) = T::Chance::hash_at(wait.l1_height) {
            return Some(sha2_256(&(b"CASL2CHNC1", hash).encode()));
        }
        let waited = session.saturating_sub(wait.since);
        (waited >= Self::epoch())
            .then(|| sha2_256(&(b"CASL2CHNC1", frame_system::Pallet::<T>::parent_hash()).encode()))
    }

    /// Opens the polls whose chance is there, and renews those that came to nothing
    /// within an epoch. `sequencers` are those of the set that comes into force.
    pub(crate) fn open_polls(session: SessionIndex, sequencers: &[AccountId]) {
        let epoch = Self::epoch();
        let lasts = epoch.saturating_mul(ATTESTED_EPOCHS);
        let all: Vec<_> = Candidates::<T>::iter().collect();
        for (account, candidate) in all {
            let next = match &candidate.attestation {
                Attestation::Waiting(wait) => Self::roll(*wait, session).map(|seed| {
                    let controller = candidate.entity(&account);
                    let poll = attestation::open(session, sequencers, &account, controller, &seed);
                    Attestation::Open(poll)
                }),
                Attestation::Open(poll) if session.saturating_sub(poll.opened) >= epoch => {
                    Some(Attestation::Waiting(Self::wait(session)))
                }
                Attestation::Given { since } if session.saturating_sub(*since) >= lasts => {
                    Some(match sequencers.contains(&account) {
                        true => Attestation::Given { since: session },
                        false => Attestation::Waiting(Self::wait(session)),
                    })
                }
                Attestation::Open(_) | Attestation::Given { .. } => None,
            };
            if let Some(attestation) = next {
                Candidates::<T>::insert(&account, Candidate { attestation, ..candidate });
            }
        }
    }
}

/// Candidates, and who has a seat or is about to have one without being appointed, must
/// keep the stake that a sequencer needs.
impl<T: Config> StakeCommitment for Pallet<T> {
    fn committed(account: &AccountId) -> Balance {
        let appointed = Members::<T>::get().iter().any(|member| member.account == *account);
        let seated = || {
            ActiveSequencers::<T>::get().iter().any(|one| one.account == *account)
                || T::Planned::get().contains(account)
        };
        if Candidates::<T>::contains_key(account) || (!appointed && seated()) {
            T::Parameters::get().min_sequencer_stake
        } else {
            0
        }
    }
}
