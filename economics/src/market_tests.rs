//! What moves the price, and what does not.

use crate::{
    courses::{Course, Turns, BLOCKS, COURSES},
    market::Trace,
    rules::Rules,
};
use cascoin_l2_primitives::chain::Balance;
use pallet_rewards::price::MIN_MULTIPLIER;

const SEED: [u8; 32] = [3; 32];

fn half_full(leaders: u32, fillers: u32, turns: Turns) -> Course {
    Course { name: "", leaders, fillers, turns, demand: |_| 50, elastic: false }
}

#[test]
fn a_leader_alone_in_its_term_does_not_raise_the_price() {
    let rules = Rules::mainnet();
    let terms = BLOCKS / rules.chain.blocks_per_leader;
    // One that leads once, and one that leads twice with long calm between.
    for leaders in [terms, terms / 2] {
        let course = half_full(leaders, 1, Turns::InTurn);
        let trace = Trace::of(&rules, &SEED, &course);
        assert!(trace.fillers > 0);
        assert!(trace.prices.iter().all(|price| *price == MIN_MULTIPLIER));
    }
    // But where the others' blocks are half full it does in the long run.
    let trace = Trace::of(&rules, &SEED, &half_full(4, 1, Turns::InTurn));
    assert!(trace.highest() > 1.0);
}

#[test]
fn users_that_mind_the_price_keep_it_low() {
    let rules = Rules::mainnet();
    let course = half_full(4, 1, Turns::ByLot);
    let minding = Course { elastic: true, ..course };
    let [highest, low] =
        [course, minding].map(|course| Trace::of(&rules, &SEED, &course).highest());
    assert!(low > 1.0 && low < highest, "{low} {highest}");
}

#[test]
fn what_is_paid_in_is_shared_out_or_burned() {
    let rules = Rules::mainnet();
    for course in COURSES {
        let trace = Trace::of(&rules, &SEED, &course);
        let sum = |part: fn(&cascoin_l2_primitives::rewards::Collected) -> Balance| {
            trace.collected.iter().map(part).sum::<Balance>()
        };
        let fees = sum(|collected| collected.base_fees);
        assert_eq!(fees, trace.users + trace.fillers, "{}", course.name);
        assert_eq!(trace.fillers > 0, course.fillers > 0, "{}", course.name);
        // A tenth is burned, and what rounding leaves of each block.
        let burned = fees - sum(|one| one.producer_part) - sum(|one| one.others_part);
        let blocks = Balance::from(BLOCKS);
        assert!(burned >= fees / 10 && burned <= fees / 10 + 2 * blocks, "{}", course.name);
        let everybody = Course { fillers: course.leaders, ..course };
        assert!(trace.paid_to_fillers(&everybody) <= fees - burned, "{}", course.name);
        assert!(trace.paid_to_fillers(&course) <= trace.paid_to_fillers(&everybody));
    }
}

#[test]
fn as_many_fill_their_blocks_as_the_course_says() {
    for course in COURSES {
        let filling = (0..course.leaders).filter(|leader| course.fills(*leader)).count();
        assert_eq!(filling, course.fillers as usize, "{}", course.name);
    }
}
