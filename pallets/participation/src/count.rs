//! The counting: a block's votes, a block's leaders, a session's end.

use crate::{
    absences::Word,
    pallet::{
        Config, Current, Error, Event, LeaderCount, Members, MembersSetId, Offences, Outgoing,
        Pallet, Totals,
    },
    types::{permille, Accounts, Session, Total, Unjudged},
    WeightInfo, MIN_LIVENESS_PERMILLE,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, AccountId, BlockNumber},
    consensus::LeaderDigest,
    sequencers::{
        Commit, Offence, OffenceKind, OnLowLiveness, OnOffence, OnSessionJudged, SequencerBits,
        SequencerSetProvider, SessionUptime,
    },
};
use frame_support::{ensure, traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// The accounts of the set in force.
    pub(crate) fn read_set() -> Accounts {
        let members = u16::try_from(T::Sequencers::members()).unwrap_or(u16::MAX);
        // A set has no more members than fit, so nothing is cut.
        Accounts::truncate_from((0..members).filter_map(T::Sequencers::account).collect())
    }

    /// How many sequencers of the set in force may lead.
    pub(crate) fn read_leaders() -> u32 {
        T::Sequencers::leaders().saturated_into()
    }

    /// Notes the set in force, which makes the next block. At the end of each block; and at
    /// the beginning of one that another set makes than the block before said, since it took
    /// over from one that did nothing (R17.6). That block is counted as the first one of a set
    /// always is: its inherent speaks of the signatures of the old set below it, and its author
    /// and those who led rounds of its height in vain are of the new one.
    pub fn follow() {
        let leaders = Self::read_leaders();
        if LeaderCount::<T>::get() != leaders {
            LeaderCount::<T>::put(leaders);
        }
        let set_id = T::Sequencers::set_id();
        let before = MembersSetId::<T>::get();
        if before == set_id {
            return;
        }
        // Where the last block put a set into force that never made one, those who signed the
        // last block are the set before it, and they are noted already.
        if !Outgoing::<T>::exists() {
            Outgoing::<T>::put((before, Members::<T>::get()));
        }
        Members::<T>::put(Self::read_set());
        MembersSetId::<T>::put(set_id);
    }

    /// Counts what the inherent says, and returns its weight.
    pub(crate) fn count(
        commit: Commit,
        heard: SequencerBits,
        failed: SequencerBits,
    ) -> Result<Weight, Error<T>> {
        let height: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        let parent = height.saturating_sub(1);
        let members = Members::<T>::get();
        let outgoing = Outgoing::<T>::take();
        let changed = outgoing.is_some();
        let mut session = Current::<T>::get();
        let digest = frame_system::Pallet::<T>::digest();
        let digest = LeaderDigest::find(digest.logs());
        let author = T::Author::get();
        let author = author.and_then(|who| members.iter().position(|member| *member == who));
        let leader = author.and_then(|index| u8::try_from(index).ok());
        let speaker = leader.zip(digest.as_ref().map(|digest| digest.term));
        let mut weight = T::WeightInfo::note();
        if parent == 0 {
            ensure!(commit == Commit::default(), Error::<T>::GenesisIsNotSigned);
        } else {
            Self::count_votes(&mut session, commit.signers)?;
            if !changed {
                let Commit { round, signers } = commit;
                Self::listen(&mut session.watch, Word { speaker, round, signers, heard });
            }
        }
        let phase = parent.checked_rem(T::SessionBlocks::get());
        if changed || parent > 0 && phase == Some(0) {
            // Without regular ends, as in tests, those with which the set changes judge.
            let judges = phase.unwrap_or(0) == 0;
            let (set_id, signed) =
                outgoing.unwrap_or_else(|| (MembersSetId::<T>::get(), members.clone()));
            let mut watch = session.watch;
            let follow = changed.then(|| {
                Self::follow_set(&mut watch, &signed, &members);
                T::WeightInfo::follow_set()
            });
            let ended = Ended { set_id, height: parent, signed, staying: &members, judges };
            weight = T::WeightInfo::note_last(session.tallies.len().saturated_into());
            weight.saturating_accrue(Self::end_session(&session, ended));
            weight.saturating_accrue(follow.unwrap_or_default());
            let begins = Session { watch, ..Session::of(members.len()) };
            session = match judges {
                true => begins,
                false => Session { blocks: session.blocks, late: session.late, ..begins },
            };
        }
        Self::speaks(&mut session.watch, speaker);
        let rounds = digest.map_or(0, |digest| digest.round);
        Self::count_leaders(&mut session, Leaders { rounds, author, failed })?;
        Current::<T>::put(session);
        Ok(weight)
    }

    // `session` has a tally for each member of the set that signed the parent.
    fn count_votes(session: &mut Session, signers: SequencerBits) -> Result<(), Error<T>> {
        let members = session.tallies.len();
        let enough = signers.fits(members) && signers.count() >= quorum(members);
        ensure!(enough, Error::<T>::NoQuorum);
        session.judged = session.judged.saturating_add(1);
        for (_, tally) in session.numbered().filter(|(index, _)| signers.contains(*index)) {
            tally.votes = tally.votes.saturating_add(1);
        }
        Ok(())
    }

    fn count_leaders(session: &mut Session, leaders: Leaders) -> Result<(), Error<T>> {
        let Leaders { rounds, author, failed } = leaders;
        let members = session.tallies.len();
        // After the last one that may lead the order begins anew, and all of them have failed.
        let expected = usize::from(rounds).min(LeaderCount::<T>::get() as usize);
        let right = failed.fits(members) && failed.count() == expected;
        ensure!(right, Error::<T>::WrongLeaders);
        session.blocks = session.blocks.saturating_add(1);
        session.late = session.late.saturating_add(u32::from(rounds > 0));
        for (index, tally) in session.numbered() {
            if author == Some(index) {
                tally.produced = tally.produced.saturating_add(1);
            }
            if failed.contains(index) {
                tally.missed_proposals = tally.missed_proposals.saturating_add(1);
            }
        }
        Ok(())
    }

    // Returns the weight of what others make of it.
    //
    // Where keys were revoked the set changes in between. That ends a session, which is paid
    // for, but judges only who leaves: who was away for a moment was away for most of a short
    // session, and would be timed out as often as somebody revokes. What who stays did goes
    // on to the regular end. So nobody escapes by cutting sessions short either.
    fn end_session(session: &Session, ended: Ended) -> Weight {
        let mut offences = 0u64;
        let mut told = Weight::zero();
        let mut uptimes = Vec::with_capacity(ended.signed.len());
        let judged = session.judged;
        let tallies = ended.signed.iter().zip(&session.tallies);
        let totals: Vec<(&AccountId, Total)> = tallies
            .map(|(account, tally)| {
                let uptime_permille = permille(tally.votes.into(), judged.into());
                uptimes.push(SessionUptime { account: account.clone(), uptime_permille });
                let before = Totals::<T>::get(account).unwrap_or_default();
                (account, before.and(tally, judged))
            })
            .collect();
        let liveness_permille = session.liveness_permille();
        if ended.judges && liveness_permille < MIN_LIVENESS_PERMILLE {
            Self::deposit_event(Event::LivenessLow { liveness_permille });
            let failed = totals.iter().filter(|(_, total)| total.unjudged.missed_proposals > 0);
            let failed: Vec<_> = failed.map(|(account, _)| (*account).clone()).collect();
            T::OnLowLiveness::on_low_liveness(&failed);
            told.saturating_accrue(T::OnLowLiveness::max_low_liveness_weight());
        }
        for (account, mut total) in totals {
            let stays = ended.staying.contains(account);
            if ended.judges || !stays {
                offences = offences.saturating_add(Self::judge(account, &mut total, &ended));
            }
            match stays {
                true => Totals::<T>::insert(account, total),
                false => Totals::<T>::remove(account),
            }
        }
        told.saturating_accrue(T::OnOffence::max_offence_weight().saturating_mul(offences));
        told.saturating_add(T::OnSessionJudged::on_session_judged(&uptimes))
    }

    // Returns how many offences follow from what somebody did since it was judged last.
    fn judge(account: &AccountId, total: &mut Total, ended: &Ended) -> u64 {
        let mut offences = 0u64;
        let Unjudged { judged, votes, missed_proposals } = total.unjudged;
        total.unjudged.missed_proposals = 0;
        if missed_proposals > 0 {
            offences = offences.saturating_add(1);
            let sequencer = account.clone();
            Self::deposit_event(Event::SequencerTimedOut { sequencer, missed_proposals });
            Self::note_offence(OffenceKind::Timeout, account.clone(), ended);
        }
        // Too few blocks to judge by: they count with the next ones.
        if judged < T::SessionBlocks::get() / 2 {
            return offences;
        }
        total.unjudged = Unjudged::default();
        let uptime_permille = permille(votes.into(), judged.into());
        if uptime_permille < T::MinUptime::get() {
            offences = offences.saturating_add(1);
            let sequencer = account.clone();
            Self::deposit_event(Event::SequencerOffline { sequencer, uptime_permille });
            Self::note_offence(OffenceKind::Offline, account.clone(), ended);
        }
        offences
    }

    fn note_offence(kind: OffenceKind, offender: AccountId, ended: &Ended) {
        let offence = Offence { kind, offender, set_id: ended.set_id, height: ended.height };
        T::OnOffence::on_offence(&offence);
        Offences::<T>::mutate(|offences| {
            if offences.is_full() {
                offences.remove(0);
            }
            let _ = offences.try_push(offence);
        });
    }
}

/// Who led the rounds of a height.
struct Leaders {
    /// How many failed.
    rounds: u16,
    /// Index of who made the block.
    author: Option<usize>,
    /// Who led the rounds that failed.
    failed: SequencerBits,
}

/// A session that is over.
struct Ended<'a> {
    /// Its set.
    set_id: u64,
    /// Its last height.
    height: BlockNumber,
    /// The accounts of its set, by index.
    signed: Accounts,
    /// Those of the set that goes on.
    staying: &'a Accounts,
    /// Whether all are judged: it is a regular end.
    judges: bool,
}
