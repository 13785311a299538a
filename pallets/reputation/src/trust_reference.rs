//! The web of trust once more, in fractions and by walking all paths, to check the
//! pallet against (P10).

use crate::{mock::*, types::MAX_HEARD, MAX_SPREAD};
use cascoin_l2_primitives::{
    l1::cvm::TrustKind::{self, Edge, Vote},
    relay::TrustStatement,
};
use frame_support::weights::Weight;
use proptest::prelude::*;
use sp_core::H160;
use std::collections::{BTreeMap, BTreeSet};

/// A fraction that is not negative, never shortened.
#[derive(Clone, Copy, Debug)]
struct Ratio(u128, u128);

const ZERO: Ratio = Ratio(0, 1);
const ONE: Ratio = Ratio(1, 1);

impl Ratio {
    fn times(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1)
    }

    fn max(self, other: Self) -> Self {
        if self.0 * other.1 < other.0 * self.1 {
            other
        } else {
            self
        }
    }
}

/// What everybody said last, and who is a seed.
#[derive(Clone, Debug, Default)]
struct Web {
    said: BTreeMap<(u8, u8, TrustKind), i8>,
    seeds: BTreeSet<u8>,
}

impl Web {
    fn praises(&self, who: u8, whom: u8) -> bool {
        [Edge, Vote].iter().any(|kind| self.said.get(&(who, whom, *kind)).is_some_and(|w| *w > 0))
    }

    fn share(&self, from: u8, to: u8, weight: i8) -> Ratio {
        let whole = Ratio(weight.unsigned_abs().into(), 100);
        let with_a_seed = self.seeds.contains(&from) || self.seeds.contains(&to);
        if weight > 0 && self.praises(to, from) && !with_a_seed {
            whole.times(Ratio(3, 10))
        } else {
            whole
        }
    }

    /// The best product over all walks of at most `edges` edges from a seed to `to`.
    fn trust(&self, to: u8, edges: u32) -> Ratio {
        (0..=edges).map(|exactly| self.walk(to, exactly)).fold(ZERO, Ratio::max)
    }

    fn walk(&self, to: u8, edges: u32) -> Ratio {
        if edges == 0 {
            return if self.seeds.contains(&to) { ONE } else { ZERO };
        }
        self.said
            .iter()
            .filter(|((_, subject, kind), weight)| {
                *subject == to && *kind == Edge && **weight >= 10
            })
            .map(|((from, ..), weight)| {
                self.walk(*from, edges - 1).times(self.share(*from, to, *weight))
            })
            .fold(ZERO, Ratio::max)
    }

    fn score(&self, of: u8) -> u8 {
        // Over a common denominator, so that the numbers stay small.
        const SCALE: u128 = 1_000_000_000_000;
        let (mut approval, mut objection) = (0u128, 0u128);
        for ((from, subject, _), weight) in &self.said {
            if *subject != of {
                continue;
            }
            let share = self.share(*from, of, *weight);
            let Ratio(part, whole) = self.trust(*from, 2).times(share);
            assert_eq!(part * SCALE % whole, 0, "nothing is rounded");
            let side = if *weight > 0 { &mut approval } else { &mut objection };
            *side = (part * SCALE / whole).max(*side);
        }
        let approval = match objection {
            0 => ONE,
            _ => Ratio(approval, approval + objection),
        };
        let Ratio(part, whole) = self.trust(of, 3).times(approval).times(Ratio(100, 1));
        u8::try_from(part / whole).expect("at most 100")
    }
}

/// Whoever there is.
const PEOPLE: u8 = 7;

fn address(number: u8) -> H160 {
    H160([number; 20])
}

#[derive(Clone, Debug)]
enum Step {
    Say(u8, u8, TrustKind, i8),
    Seeds(BTreeSet<u8>),
    Wait,
}

fn any_step() -> impl Strategy<Value = Step> {
    let weight = prop_oneof![3 => 10i8..=100, 1 => -100i8..=100, 1 => Just(0)];
    let kind = prop_oneof![3 => Just(Edge), 1 => Just(Vote)];
    let say = (0..PEOPLE, 0..PEOPLE, kind, weight)
        .prop_map(|(from, to, kind, weight)| Step::Say(from, to, kind, weight));
    let seeds = proptest::collection::btree_set(0..PEOPLE, 0..3).prop_map(Step::Seeds);
    prop_oneof![10 => say, 1 => seeds, 1 => Just(Step::Wait)]
}

fn settle() {
    let mut blocks = 0;
    while crate::pallet::TrustQueue::<Test>::iter().next().is_some() {
        Reputation::spread(Weight::MAX);
        blocks += 1;
        assert!(blocks < 1_000, "it ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever was said in whichever order, and however far trust had spread between:
    /// in the end it is the rational rule, rounded down.
    #[test]
    fn p10_trust_is_the_rational_rule_over_all_paths(
        first in proptest::collection::btree_set(0..PEOPLE, 1..3),
        steps in proptest::collection::vec(any_step(), 1..60),
    ) {
        const { assert!(2 * (PEOPLE as u32) < MAX_HEARD && MAX_SPREAD < PEOPLE as u64) };
        new_test_ext().execute_with(|| {
            let mut web = Web::default();
            for step in std::iter::once(Step::Seeds(first)).chain(steps) {
                match step {
                    Step::Say(from, to, kind, weight) => {
                        let (speaker, subject) = (address(from), address(to));
                        let bond = 2 * COIN as u64;
                        let said = TrustStatement { kind, speaker, subject, weight, bond };
                        assert_eq!(Reputation::hear(&said).is_ok(), from != to);
                        if from != to {
                            web.said.insert((from, to, kind), weight);
                            web.said.retain(|_, weight| *weight != 0);
                        }
                    }
                    Step::Seeds(seeds) => {
                        let named: Vec<_> = seeds.iter().map(|seed| address(*seed)).collect();
                        let named = named.try_into().expect("few");
                        Reputation::set_trust_seeds(RuntimeOrigin::root(), named).expect("by root");
                        web.seeds = seeds;
                    }
                    Step::Wait => {
                        Reputation::spread(Weight::MAX);
                    }
                }
                Reputation::check_state().expect("sound");
            }
            settle();
            Reputation::check_state().expect("sound");
            for person in 0..PEOPLE {
                assert_eq!(trust_of(address(person)), web.score(person), "{person} of {web:?}");
            }
        });
    }
}

/// What a test reads of an address.
pub(crate) fn trust_of(address: H160) -> u8 {
    crate::pallet::Vertices::<Test>::get(address).score.get()
}
