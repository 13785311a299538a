use super::{
    links::{Link, Links},
    queue::{Packet, Queue},
};
use std::time::Duration;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn packet(from: usize, to: usize, number: u32) -> Packet {
    Packet { from, to, bytes: number.to_le_bytes().to_vec() }
}

/// Arrival times and numbers of packets that set out 1 ms apart over one link.
fn carried(seed: u64, link: Link, count: u32) -> Vec<(Duration, u32)> {
    let mut queue = Queue::new(seed);
    let mut arrived = Vec::new();
    let take = |queue: &mut Queue, until: Duration, arrived: &mut Vec<_>| {
        while let Some(at) = queue.next_arrival().filter(|at| *at <= until) {
            while let Some(packet) = queue.arrived(at) {
                let bytes = packet.bytes.try_into().expect("four bytes");
                arrived.push((at, u32::from_le_bytes(bytes)));
            }
        }
    };
    for number in 0..count {
        take(&mut queue, ms(number.into()), &mut arrived);
        queue.send(ms(number.into()), link, packet(0, 1, number));
    }
    take(&mut queue, Duration::MAX, &mut arrived);
    arrived
}

#[test]
fn a_fast_link_carries_everything_at_once() {
    let arrived = carried(1, Link::FAST, 100);
    let expected: Vec<_> = (0..100).map(|number| (ms(number.into()), number)).collect();
    assert_eq!(arrived, expected);
}

#[test]
fn a_far_link_delays_within_its_jitter_loses_some_and_keeps_the_order() {
    const COUNT: u32 = 100_000;
    let arrived = carried(7, Link::FAR, COUNT);
    let lost = COUNT as usize - arrived.len();
    assert!((800..1_200).contains(&lost), "1 % of 100,000: {lost}");
    assert!(arrived.is_sorted(), "neither times nor packets overtake each other");
    let mut shortest = ms(1_000);
    let mut longest = ms(0);
    for (at, number) in &arrived {
        let delay = *at - ms((*number).into());
        shortest = shortest.min(delay);
        longest = longest.max(delay);
    }
    assert!(shortest >= ms(80) && longest <= ms(120), "{shortest:?} to {longest:?}");
    assert!(longest - shortest > ms(20), "it varies: {shortest:?} to {longest:?}");
}

#[test]
fn chance_comes_from_the_seed() {
    let numbers = |seed| carried(seed, Link::FAR, 1_000);
    assert_eq!(numbers(3), numbers(3));
    assert_ne!(numbers(3), numbers(4));
}

#[test]
fn a_link_that_is_down_carries_nothing_and_a_full_one_no_more() {
    assert!(carried(1, Link { up: false, ..Link::FAST }, 100).is_empty());
    let slow = Link { delay: ms(60_000), ..Link::FAST };
    assert_eq!(carried(1, slow, 20_000).len(), 16_384);
}

#[test]
fn nothing_arrives_early() {
    let mut queue = Queue::new(1);
    queue.send(ms(5), Link { delay: ms(10), ..Link::FAST }, packet(2, 3, 0));
    assert_eq!(queue.arrived(ms(14)), None);
    assert_eq!(queue.arrived(ms(15)), Some(packet(2, 3, 0)));
    assert_eq!(queue.next_arrival(), None);
}

#[test]
fn partitions_cut_what_is_apart_and_healing_keeps_the_delays() {
    let links = Links::new(4);
    links.set_all(Link::FAR);
    links.partition(&[&[0, 1], &[2]]);
    let up = |from, to| links.get(from, to).up;
    assert!(up(0, 1) && up(1, 0));
    for (from, to) in [(0, 2), (2, 1), (1, 3), (3, 2)] {
        assert!(!up(from, to), "{from} to {to}");
    }
    links.heal();
    assert_eq!(links.get(3, 2), Link::FAR);
    links.set_up(3, 1, false);
    assert!(!up(1, 3) && !up(3, 1) && up(1, 2));
    assert!(!up(0, 9), "nobody is there");
}
