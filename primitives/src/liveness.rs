//! Whether a chain and its L1 live, and what follows when they do not (R12.1, R27.5). Pure:
//! times come in as numbers, milliseconds since 1970.
//!
//! All that is looked at are the times of blocks, and whether the relay went on between them.
//! The distance of two blocks is a *step*; one of [`SILENT_STEP_MS`] or more is *silent*, and
//! the chain was dead in it. After an outage L1's last news holds the chain's time back
//! ([`TimeBounds`](crate::time::TimeBounds)), so that it comes back to the clocks in several
//! steps: *slow* ones beside a silent one belong to the same silence. Silences add up to an
//! *outage*, until the chain has lived for long enough, so that no single block in between
//! hides one.
//!
//! What one leader can do to it: by waiting it makes a step of half a minute, which is no
//! silence, and it cannot make time run ahead of the voters' clocks by more. Life is counted in
//! blocks, whatever times they have, and of those it makes a term's. So nobody alone begins,
//! holds or ends an emergency. Who leads the first blocks after an outage can hide a part of
//! it, in steps that are just not silent: one for each block of its term.

use crate::{
    chain::{ChainParameters, Moment},
    registry::ChainStatus,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A step of this length is silent, or one of the whole delay where that is shorter. Ten
/// minutes: no late leaders explain it (ADR 0018).
pub const SILENT_STEP_MS: Moment = 10 * 60 * 1_000;
/// A step of this length is slow. Just less than the steps in which a chain comes back to the
/// clocks after an outage ([`FREE_STEP_MS`](crate::time::FREE_STEP_MS)).
pub const SLOW_STEP_MS: Moment = 25_000;

/// By which times an emergency begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivenessRules {
    /// Distance of two blocks.
    pub block_time_ms: Moment,
    /// An outage of this length is an emergency; 0: none ever is.
    pub emergency_delay_ms: Moment,
    /// Life that ends an outage, in blocks at their usual distance.
    pub emergency_recovery_ms: Moment,
    /// L1 is stalled when nothing was heard of it for so long; 0: it never is.
    pub l1_stall_ms: Moment,
}

impl LivenessRules {
    /// Those of a chain.
    pub const fn of(parameters: &ChainParameters) -> Self {
        Self {
            block_time_ms: parameters.block_time_ms,
            emergency_delay_ms: parameters.emergency_delay_s.saturating_mul(1_000),
            emergency_recovery_ms: parameters.emergency_recovery_s.saturating_mul(1_000),
            l1_stall_ms: parameters.l1_stall_s.saturating_mul(1_000),
        }
    }

    /// Whether so long a silence is an emergency.
    pub const fn is_emergency(&self, silence_ms: Moment) -> bool {
        self.emergency_delay_ms > 0 && silence_ms >= self.emergency_delay_ms
    }

    /// Twice the block time on chains that are slow by nature.
    fn slow_step_ms(&self) -> Moment {
        SLOW_STEP_MS.max(self.block_time_ms.saturating_mul(2))
    }

    fn is_slow(&self, step: Moment) -> bool {
        step >= self.slow_step_ms()
    }

    fn is_silent(&self, step: Moment) -> bool {
        let silent = SILENT_STEP_MS.min(self.emergency_delay_ms).max(self.slow_step_ms());
        self.emergency_delay_ms > 0 && step >= silent
    }
}

/// Slow steps, one after the other.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SlowSteps {
    /// Time of the block before the first of them.
    pub since: Moment,
    /// Whether one of them is silent.
    pub silent: bool,
}

/// What is known of a chain's life after a block.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ChainLife {
    /// Since which block an emergency lasts: its time.
    pub emergency_since: Option<Moment>,
    /// In an outage the time of the last block before it.
    pub last_sign: Option<Moment>,
    /// Silence of this outage, before the slow steps that go on.
    pub silent_ms: Moment,
    /// The slow steps that go on.
    pub slow: Option<SlowSteps>,
    /// Life since the last silent step: the block time for each block.
    pub lived_ms: Moment,
    /// Whether L1 was heard of since the last silent step.
    pub l1_heard: bool,
    /// Life without news of L1.
    pub l1_quiet_ms: Moment,
    /// Whether that is too long.
    pub l1_stalled: bool,
}

impl ChainLife {
    /// How long nothing was heard of the chain in the outage that lasts, at the time of its
    /// last block. The one place that says so: anchors, once there are any, are a second
    /// sign of life here, and the longer silence of the two counts.
    pub fn silence_ms(&self, now: Moment) -> Moment {
        let going_on = self.slow.filter(|slow| slow.silent);
        let going_on = going_on.map_or(0, |slow| now.saturating_sub(slow.since));
        self.silent_ms.saturating_add(going_on)
    }

    /// A block of time `time` follows one of time `parent`, up to which the relay had applied
    /// more of L1 than up to the one before, if there is `l1_news`.
    pub fn step(&mut self, rules: &LivenessRules, parent: Moment, time: Moment, l1_news: bool) {
        let step = time.saturating_sub(parent);
        // That was before the step.
        if l1_news {
            self.l1_heard = true;
            self.l1_quiet_ms = 0;
        }
        let silent = rules.is_silent(step);
        if rules.is_slow(step) {
            let slow = self.slow.get_or_insert(SlowSteps { since: parent, silent: false });
            slow.silent |= silent;
            if silent && self.last_sign.is_none() {
                self.last_sign = Some(slow.since);
            }
        } else {
            self.silent_ms = self.silence_ms(parent);
            self.slow = None;
        }
        if silent {
            self.lived_ms = 0;
            self.l1_heard = false;
        } else {
            self.lived_ms = self.lived_ms.saturating_add(rules.block_time_ms);
            let quiet = step.min(rules.slow_step_ms());
            self.l1_quiet_ms = self.l1_quiet_ms.saturating_add(quiet);
        }
        self.l1_stalled = rules.l1_stall_ms > 0 && self.l1_quiet_ms >= rules.l1_stall_ms;
        if self.is_over(rules) {
            self.emergency_since = None;
            self.last_sign = None;
            self.silent_ms = 0;
            self.slow = None;
        } else if self.emergency_since.is_none() && rules.is_emergency(self.silence_ms(time)) {
            self.emergency_since = Some(time);
        }
    }

    /// Whether the outage that lasts is over. An emergency ends only when the relay has gone
    /// on, too: what L1 brought meanwhile (keys revoked, burns) shall not come as a surprise.
    /// An L1 that is stalled cannot bring anything, and holds nobody up.
    fn is_over(&self, rules: &LivenessRules) -> bool {
        let l1 = self.emergency_since.is_none() || self.l1_heard || self.l1_stalled;
        self.last_sign.is_some() && self.lived_ms >= rules.emergency_recovery_ms && l1
    }
}

/// A chain's life, as it tells it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LivenessReport {
    /// Where the chain itself is in its life: BOOTSTRAPPING, ACTIVE or EMERGENCY.
    pub status: ChainStatus,
    /// What is known of its life.
    pub life: ChainLife,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{L1Time, TimeBounds, FRESH_MS};
    use proptest::prelude::*;

    const BLOCK: Moment = 500;
    const MINUTE: Moment = 60_000;
    const HOUR: Moment = 60 * MINUTE;
    const START: Moment = 1_780_000_000_000;
    /// Blocks that a leader makes one after the other.
    const TERM: u64 = 10;
    const RULES: LivenessRules = LivenessRules {
        block_time_ms: BLOCK,
        emergency_delay_ms: 24 * HOUR,
        emergency_recovery_ms: HOUR,
        l1_stall_ms: 2 * HOUR,
    };

    /// A chain whose blocks have the times that a test wants.
    #[derive(Clone, Copy)]
    struct Chain {
        life: ChainLife,
        time: Moment,
    }

    impl Chain {
        fn new() -> Self {
            Self { life: ChainLife::default(), time: START }
        }

        fn step(&mut self, step: Moment, l1_news: bool) {
            let parent = self.time;
            self.time += step;
            self.life.step(&RULES, parent, self.time, l1_news);
        }

        /// Blocks in time, for so long.
        fn live(&mut self, ms: Moment, l1_news: bool) {
            for _ in 0..ms / BLOCK {
                self.step(BLOCK, l1_news);
            }
        }

        fn is_emergency(&self) -> bool {
            self.life.emergency_since.is_some()
        }
    }

    #[test]
    fn r12_1_an_emergency_begins_with_the_first_block_after_24_hours_and_ends_after_one() {
        let mut chain = Chain::new();
        chain.live(MINUTE, true);
        let last_sign = chain.time;
        chain.step(24 * HOUR, false);
        assert_eq!(chain.life.emergency_since, Some(chain.time));
        assert_eq!(chain.life.last_sign, Some(last_sign));
        chain.live(HOUR - BLOCK, true);
        assert!(chain.is_emergency());
        chain.step(BLOCK, true);
        assert!(!chain.is_emergency());
        assert_eq!((chain.life.silent_ms, chain.life.last_sign), (0, None));
        // And it can begin again.
        chain.step(24 * HOUR - 1, true);
        assert!(!chain.is_emergency());
        chain.step(BLOCK, true);
        assert!(!chain.is_emergency());
        chain.step(SILENT_STEP_MS, true);
        assert!(chain.is_emergency(), "two silences of one outage");
    }

    #[test]
    fn r12_1_the_steps_back_to_the_clocks_belong_to_the_silence() {
        let mut chain = Chain::new();
        chain.live(MINUTE, true);
        let last_sign = chain.time;
        // What L1's last news leave: a first step, then half minutes, until they are stale.
        chain.step(5 * MINUTE, false);
        for _ in 0..10 {
            chain.step(30_000 - 63, false);
        }
        assert_eq!(chain.life.silence_ms(chain.time), 0, "so far it may be late leaders");
        let rest = 24 * HOUR - (chain.time - last_sign);
        let mut short = chain;
        chain.step(rest, false);
        assert!(chain.is_emergency());
        assert_eq!(chain.life.last_sign, Some(last_sign));
        short.step(rest - 1, false);
        assert!(!short.is_emergency());
    }

    #[test]
    fn r12_1_an_hour_of_life_ends_an_outage() {
        for (lived, emergency) in [(HOUR - BLOCK, true), (HOUR, false)] {
            let mut chain = Chain::new();
            chain.step(12 * HOUR, false);
            chain.live(lived, false);
            chain.step(12 * HOUR, false);
            assert_eq!(chain.is_emergency(), emergency, "{lived}");
        }
    }

    #[test]
    fn r12_1_an_emergency_does_not_end_before_the_relay_goes_on_or_l1_is_stalled() {
        let mut chain = Chain::new();
        // The last news before the outage do not count.
        chain.step(24 * HOUR, true);
        chain.live(90 * MINUTE, false);
        assert!(chain.is_emergency());
        let mut heard = chain;
        heard.step(BLOCK, true);
        assert!(!heard.is_emergency());
        chain.live(30 * MINUTE - BLOCK, false);
        assert!(chain.is_emergency() && !chain.life.l1_stalled);
        chain.step(BLOCK, false);
        assert!(!chain.is_emergency() && chain.life.l1_stalled);
    }

    #[test]
    fn r27_5_l1_is_stalled_after_two_hours_without_news_in_which_the_chain_lived() {
        let mut chain = Chain::new();
        chain.live(2 * HOUR - BLOCK, false);
        assert!(!chain.life.l1_stalled);
        // Of the time in which the chain was dead nobody knows anything.
        chain.step(3 * HOUR, false);
        assert!(!chain.life.l1_stalled);
        chain.step(BLOCK, false);
        assert!(chain.life.l1_stalled);
        assert!(!chain.is_emergency(), "L1 stops nothing");
        chain.step(BLOCK, true);
        assert!(!chain.life.l1_stalled);
    }

    #[test]
    fn without_parameters_nothing_is_ever_an_emergency() {
        let rules = LivenessRules::of(&ChainParameters::default());
        let mut life = ChainLife::default();
        life.step(&rules, 1, Moment::MAX, false);
        assert_eq!(life.emergency_since, None);
        assert!(!life.l1_stalled);
    }

    #[test]
    fn a_short_delay_is_a_short_silence() {
        let rules = LivenessRules { emergency_delay_ms: MINUTE, ..RULES };
        for (step, emergency) in [(MINUTE, true), (MINUTE - 1, false)] {
            let mut life = ChainLife::default();
            life.step(&rules, START, START + step, false);
            assert_eq!(life.emergency_since.is_some(), emergency, "{step}");
        }
    }

    /// What the relay knows of the voters' L1 tips.
    #[derive(Clone, Copy, Debug)]
    enum Tips {
        /// They vote, and their tips are so old.
        Fresh(Moment),
        /// They voted at this time, of tips of this time, and not since.
        Old(Moment),
        /// They never voted, or too long ago.
        Absent,
    }

    impl Tips {
        fn l1_time(self, clock: Moment, parent: Moment) -> L1Time {
            let fresh_tip_median = match self {
                Self::Fresh(age) => Some(clock - age),
                Self::Old(at) => (parent <= at + FRESH_MS).then_some(at),
                Self::Absent => None,
            };
            L1Time { median_time_past: None, fresh_tip_median }
        }
    }

    /// Leaders take turns of a term each, by their clocks, which are right and begin with
    /// `clock`, and within what L1 leaves them. The one of index 0 is the attacker: it waits
    /// as long as others let it, and gives its blocks any time that they accept. Returns
    /// whether there was an emergency after any block.
    fn attacked(
        chain: &mut Chain,
        mut clock: Moment,
        tips: Tips,
        members: u64,
        terms: u64,
        wait: Moment,
        moves: &[Moment],
    ) -> bool {
        let mut moves = moves.iter().copied().cycle();
        let mut emergency = false;
        for term in 0..terms {
            for _ in 0..TERM {
                let attacks = term % members == 0;
                clock += if attacks { wait.max(1) } else { BLOCK };
                let l1 = tips.l1_time(clock, chain.time);
                let window = TimeBounds::after(chain.time, BLOCK, l1);
                // Nobody votes for what is half a minute ahead of the clocks.
                let latest = (clock + 30_000).max(chain.time + 1).min(window.latest);
                let time = match moves.next() {
                    Some(wanted) if attacks => {
                        (chain.time + 1 + wanted).min(latest).max(window.earliest)
                    }
                    _ => window.nearest(clock, members),
                };
                chain.step(time - chain.time, true);
                emergency |= chain.is_emergency();
            }
        }
        emergency
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// R12.1: exactly the silence that is as long as the delay is an emergency, however
        /// it is cut into silent steps with some life in between.
        #[test]
        fn r12_1_silences_add_up_to_the_delay_exactly(
            cuts in prop::collection::vec(SILENT_STEP_MS..4 * HOUR, 1..12),
            lived in 1..120u64,
        ) {
            let mut chain = Chain::new();
            let mut silence = 0;
            for cut in cuts {
                chain.step(cut, false);
                silence += cut;
                prop_assert_eq!(chain.is_emergency(), silence >= 24 * HOUR);
                chain.live(lived * BLOCK, false);
                prop_assert_eq!(chain.life.silent_ms, silence);
            }
        }

        /// R12.1: no single leader begins an emergency, however long it tries: what it can do
        /// is no silence at all. After an outage that is none it adds little to it, whatever
        /// is known of L1, and so whether the chain comes back to the clocks at once or in
        /// steps.
        #[test]
        fn r12_1_no_single_leader_begins_an_emergency(
            members in 4..22u64,
            // A leader that has not proposed after this is passed over.
            wait in 0..3_000u64,
            outage in prop_oneof![Just(0u64), SILENT_STEP_MS..24 * HOUR - SILENT_STEP_MS],
            tips in 0..3u8,
            age in 0..SILENT_STEP_MS,
            moves in prop::collection::vec(prop_oneof![0..2u64, 0..60_000u64], 1..40),
        ) {
            let mut chain = Chain::new();
            chain.live(MINUTE, true);
            let last = chain.time;
            let tips = match tips {
                0 => Tips::Fresh(age),
                1 => Tips::Old(last),
                _ => Tips::Absent,
            };
            let clock = last + outage;
            let begun = attacked(&mut chain, clock, tips, members, 40 * members, wait, &moves);
            prop_assert!(!begun);
            let silence = chain.life.silence_ms(chain.time);
            if outage == 0 {
                prop_assert_eq!((silence, chain.life.last_sign), (0, None));
            }
            prop_assert!(silence <= outage + SILENT_STEP_MS);
        }

        /// R12.1: nor does it hold one or end one: whatever times its blocks have, it takes
        /// as many blocks as without it.
        #[test]
        fn r12_1_no_single_leader_holds_or_ends_an_emergency(
            members in 4..22u64,
            wait in 0..3_000u64,
            moves in prop::collection::vec(prop_oneof![0..2u64, 0..60_000u64], 1..40),
        ) {
            let mut chain = Chain::new();
            chain.step(25 * HOUR, false);
            prop_assert!(chain.is_emergency());
            let needed = HOUR / (TERM * BLOCK);
            let clock = chain.time;
            attacked(&mut chain, clock, Tips::Absent, members, needed - 1, wait, &moves);
            prop_assert!(chain.is_emergency());
            let clock = chain.time;
            attacked(&mut chain, clock, Tips::Absent, members, 1, wait, &moves);
            prop_assert!(!chain.is_emergency());
        }

        /// R12.1: who leads first after an outage hides at most a term of steps that are just
        /// not silent.
        #[test]
        fn r12_1_who_leads_first_after_an_outage_hides_little_of_it(
            steps in prop::collection::vec(1..SILENT_STEP_MS, TERM as usize),
            more in 0..HOUR,
        ) {
            let outage = 24 * HOUR + TERM * SILENT_STEP_MS + more;
            let mut chain = Chain::new();
            chain.live(MINUTE, true);
            let back = chain.time + outage;
            for step in steps {
                chain.step(step, false);
            }
            // The next leader is honest.
            chain.step(back - chain.time, false);
            prop_assert!(chain.is_emergency());
        }

        /// Whatever times blocks have: an emergency has a reason, and time does not overflow.
        #[test]
        fn an_emergency_is_never_without_a_silence(
            steps in prop::collection::vec(
                (prop_oneof![1..1_000u64, any::<u64>()], any::<bool>()),
                1..50,
            ),
        ) {
            let mut life = ChainLife::default();
            let mut time = START;
            for (step, news) in steps {
                let parent = time;
                time = time.saturating_add(step);
                life.step(&RULES, parent, time, news);
                prop_assert!(life.emergency_since.is_none() || life.silence_ms(time) > 0);
                prop_assert!(life.emergency_since.is_none() || life.last_sign.is_some());
                prop_assert!(life.last_sign.is_some() || life.silent_ms == 0);
            }
        }
    }
}
