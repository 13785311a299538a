//! The L1 hash that seeds the ranking of leaders, by term.

use crate::{mock::*, pallet::RankingHash};
use cascoin_l2_primitives::l1::L1Hash;

// A term has four blocks: term 0 is blocks 1..=4, term 1 is 5..=8.

#[test]
fn a_term_is_seeded_by_what_was_applied_by_the_end_of_the_second_last() {
    new_test_ext(1).execute_with(|| {
        let blocks = digests(&l1_chain(0, &[0; 4]));
        let vote = |index: usize, tip: u32| all_vote(0..1, &blocks[index..=index], tip);
        let hash = |index: usize| blocks[index].hash;
        run_to(4);
        vote(0, 10); // in the last block of term 0
        run_to(5);
        vote(1, 11); // in the first block of term 1
        assert_eq!(Relay::ranking_l1_hash(2), hash(0));
        run_to(8);
        vote(2, 12); // in the last block of term 1
        assert_eq!(Relay::ranking_l1_hash(2), hash(0), "a term's seed never changes");
        run_to(9);
        assert_eq!(Relay::ranking_l1_hash(3), hash(2));
        run_to(13);
        assert_eq!(Relay::ranking_l1_hash(4), hash(2), "nothing new in term 2");
    });
}

#[test]
fn the_first_two_terms_have_no_l1_seed() {
    new_test_ext(1).execute_with(|| {
        run_to(4);
        assert_eq!(Relay::ranking_l1_hash(0), L1Hash::default());
        assert_eq!(Relay::ranking_l1_hash(1), L1Hash::default());
        run_to(5);
        assert_eq!(Relay::ranking_l1_hash(2), start().hash);
    });
}

#[test]
fn the_seed_of_the_next_term_is_known_a_whole_term_before() {
    new_test_ext(1).execute_with(|| {
        for block in 5..60 {
            run_to(block);
            let term = (block - 1) / 4;
            for near in [term, term + 1] {
                assert_eq!(RankingHash::<Test>::contains_key(near), near >= 2, "{block}");
            }
            assert!(RankingHash::<Test>::iter().count() <= 3);
        }
    });
}
