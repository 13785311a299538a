//! Packets under way: which of them arrive, and when. Pure: time is an input, and
//! chance comes from a seed.

use super::links::Link;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

/// Packets under way on one link; what comes on top is lost, as at a router.
const MAX_UNDER_WAY: usize = 16_384;

/// A packet under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Who sent it.
    pub(super) from: usize,
    /// Who gets it.
    pub(super) to: usize,
    /// It.
    pub(super) bytes: Vec<u8>,
}

/// Packets under way, by the time they arrive.
pub(super) struct Queue {
    random: fastrand::Rng,
    /// Arrival, and a number that keeps packets of one moment in order.
    arrivals: BinaryHeap<Reverse<(Duration, u64)>>,
    packets: BTreeMap<u64, Packet>,
    next: u64,
    /// Of each link the last arrival and how many are under way.
    lanes: BTreeMap<(usize, usize), (Duration, usize)>,
}

impl Queue {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            arrivals: BinaryHeap::new(),
            packets: BTreeMap::new(),
            next: 0,
            lanes: BTreeMap::new(),
        }
    }

    /// A packet sets out at `now`: it is lost, or it arrives later, never before
    /// one that set out before it on the same link. Jitter does not reorder
    /// packets: real paths rarely do.
    pub(super) fn send(&mut self, now: Duration, link: Link, packet: Packet) {
        // Drawn for every packet, so that a test's change of a link shifts no other.
        let chance = self.random.u16(0..1_000);
        let share = self.random.u32(0..=2_000);
        if !link.up || chance < link.loss_per_mille {
            return;
        }
        let lane = self.lanes.entry((packet.from, packet.to)).or_default();
        if lane.1 >= MAX_UNDER_WAY {
            return;
        }
        let delay = (link.delay + link.jitter * share / 1_000).saturating_sub(link.jitter);
        let arrival = (now + delay).max(lane.0);
        *lane = (arrival, lane.1 + 1);
        self.arrivals.push(Reverse((arrival, self.next)));
        self.packets.insert(self.next, packet);
        self.next += 1;
    }

    /// The next packet that has arrived at `now`.
    pub(super) fn arrived(&mut self, now: Duration) -> Option<Packet> {
        let Reverse((_, number)) = *self.arrivals.peek().filter(|first| first.0 .0 <= now)?;
        self.arrivals.pop();
        let packet = self.packets.remove(&number)?;
        if let Some(lane) = self.lanes.get_mut(&(packet.from, packet.to)) {
            lane.1 = lane.1.saturating_sub(1);
        }
        Some(packet)
    }

    /// When the next packet arrives.
    pub(super) fn next_arrival(&self) -> Option<Duration> {
        self.arrivals.peek().map(|first| first.0 .0)
    }
}
