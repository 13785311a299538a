//! `kill -9` of as many as may fail.

use crate::support::{seven, start_again, under_load};
use cascoin_e2e::network::{with_network, Setup};

#[test]
fn one_of_four_may_die_whoever_it_is() {
    with_network(&Setup::regtest_without_l1(), |network| {
        under_load(network, |network| {
            for turn in 0..3 {
                let leader = network.leader()?;
                let victim = if turn == 1 { (leader + 1) % 4 } else { leader };
                network.nodes[victim].kill()?;
                network.wait_for_progress(12)?;
                start_again(network, &[victim])?;
            }
            Ok(())
        })
    });
}

#[test]
fn two_of_seven_may_die_the_leader_among_them() {
    let (_spec, setup) = seven();
    with_network(&setup, |network| {
        under_load(network, |network| {
            let first = network.leader()?;
            network.nodes[first].kill()?;
            network.wait_for_progress(8)?;
            // Its successor next, while the first one is still away.
            let second = network.leader()?;
            network.nodes[second].kill()?;
            network.wait_for_progress(12)?;
            start_again(network, &[first, second])
        })
    });
}
