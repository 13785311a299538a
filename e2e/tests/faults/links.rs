//! Links that are slow, lossy or broken.

use crate::support::under_load;
use cascoin_e2e::{
    lab::Link,
    network::{with_lab, Setup},
};

#[test]
fn votes_find_a_way_around_a_broken_link() {
    with_lab(&Setup::regtest_without_l1(), 4, |network| {
        under_load(network, |network| {
            network.links()?.set_up(0, 1, false);
            network.wait_for_progress(40)?;
            // With another one dead, every vote of the two is needed by both.
            network.nodes[3].kill()?;
            network.wait_for_progress(8)?;
            network.links()?.heal();
            crate::support::start_again(network, &[3])
        })
    });
}

#[test]
fn far_apart_over_bad_lines_the_chain_goes_on() {
    with_lab(&Setup::regtest_without_l1(), 5, |network| {
        under_load(network, |network| {
            network.links()?.set_all(Link::FAR);
            network.wait_for_progress(25)?;
            let before = network.finalized_height(0)?;
            // Also when a leader dies meanwhile.
            let leader = network.leader()?;
            network.nodes[leader].kill()?;
            network.wait_for_progress(8)?;
            crate::support::start_again(network, &[leader])?;
            assert!(network.finalized_height(0)? > before);
            Ok(())
        })
    });
}
