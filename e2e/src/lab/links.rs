//! The links between the nodes, as tests set them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How a link treats packets in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether it carries anything.
    pub up: bool,
    /// How long a packet is under way.
    pub delay: Duration,
    /// By how much that varies, in both directions.
    pub jitter: Duration,
    /// Packets of a thousand that are lost.
    pub loss_per_mille: u16,
}

impl Link {
    /// Up, without delay or loss.
    pub const FAST: Self =
        Self { up: true, delay: Duration::ZERO, jitter: Duration::ZERO, loss_per_mille: 0 };
    /// Another continent over a bad line: 100 ms ± 20 ms, 1 % lost.
    pub const FAR: Self = Self {
        up: true,
        delay: Duration::from_millis(100),
        jitter: Duration::from_millis(20),
        loss_per_mille: 10,
    };
}

/// The links of all pairs of nodes. Clones share them.
#[derive(Clone, Debug)]
pub struct Links {
    nodes: usize,
    table: Arc<Mutex<Vec<Link>>>,
}

impl Links {
    /// All links fast, between `nodes` nodes.
    pub fn new(nodes: usize) -> Self {
        Self { nodes, table: Arc::new(Mutex::new(vec![Link::FAST; nodes * nodes])) }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The link from a node to another one; down if there is no such node.
    pub fn get(&self, from: usize, to: usize) -> Link {
        let known = from < self.nodes && to < self.nodes;
        let link = known.then(|| self.table()[from * self.nodes + to]);
        link.unwrap_or(Link { up: false, ..Link::FAST })
    }

    /// Changes every link.
    pub fn set_all(&self, link: Link) {
        self.change(|_, _, known| *known = link);
    }

    /// Cuts or mends one link, both ways.
    pub fn set_up(&self, one: usize, other: usize, up: bool) {
        self.change(|from, to, link| {
            if [(one, other), (other, one)].contains(&(from, to)) {
                link.up = up;
            }
        });
    }

    /// Cuts every link between nodes that are not in one of `groups` together.
    /// A node that is in none is alone.
    pub fn partition(&self, groups: &[&[usize]]) {
        self.change(|from, to, link| {
            let together = groups.iter().any(|group| group.contains(&from) && group.contains(&to));
            link.up = together;
        });
    }

    /// Mends every link; delays and losses stay.
    pub fn heal(&self) {
        self.change(|_, _, link| link.up = true);
    }

    fn change(&self, mut change: impl FnMut(usize, usize, &mut Link)) {
        let nodes = self.nodes.max(1);
        for (position, link) in self.table().iter_mut().enumerate() {
            change(position / nodes, position % nodes, link);
        }
    }

    fn table(&self) -> MutexGuard<'_, Vec<Link>> {
        // A table of plain values is sound whoever panicked meanwhile.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
