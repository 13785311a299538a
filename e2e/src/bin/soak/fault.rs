//! What may happen to a network of sequencers, drawn at random.

use cascoin_e2e::{lab::Link, network::Network, Error, Result};
use std::fmt;

/// One fault. Nodes are positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`, of a third at most or of all.
    Kill(Vec<usize>),
    /// Ended by a service manager and started again.
    Stop(usize),
    /// A machine that hangs.
    Freeze(usize),
    /// No message between two groups.
    Cut(Vec<usize>, Vec<usize>),
    /// All links slow and losing packets.
    Far,
}

impl Fault {
    /// Draws one. `links`: whether the links between nodes can be disturbed.
    ///
    /// # Errors
    /// [`Error::Other`] if nobody leads.
    pub fn draw(random: &mut fastrand::Rng, network: &mut Network, links: bool) -> Result<Self> {
        let nodes = network.nodes.len();
        let mut order: Vec<usize> = (0..nodes).collect();
        random.shuffle(&mut order);
        let tolerated = nodes.saturating_sub(1) / 3;
        let kinds = if links { 8 } else { 5 };
        Ok(match random.u8(0..kinds) {
            0 => Self::Kill(vec![network.leader()?]),
            1 => Self::Kill(order.into_iter().take(random.usize(1..=tolerated.max(1))).collect()),
            2 => Self::Kill(order),
            3 => Self::Stop(order[0]),
            4 => Self::Freeze(order[0]),
            5 => Self::Far,
            _ => {
                let other = order.split_off(random.usize(1..nodes));
                Self::Cut(order, other)
            }
        })
    }

    /// Makes it happen.
    ///
    /// # Errors
    /// [`Error::Other`] if a process or link does not do as told.
    pub fn begin(&self, network: &mut Network) -> Result<()> {
        match self {
            Self::Kill(nodes) => {
                nodes.iter().try_for_each(|node| network.nodes[*node].kill())?;
            }
            Self::Stop(node) => {
                if !network.nodes[*node].stop()? {
                    return Err(Error::other(format!("node {node} did not stop in time")));
                }
            }
            Self::Freeze(node) => process(network, *node)?.freeze()?,
            Self::Cut(one, other) => network.links()?.partition(&[one.as_slice(), other]),
            Self::Far => network.links()?.set_all(Link::FAR),
        }
        Ok(())
    }

    /// Mends it; does not wait for anything.
    ///
    /// # Errors
    /// [`Error::Other`] if a process does not start.
    pub fn end(&self, network: &mut Network) -> Result<()> {
        match self {
            Self::Kill(nodes) => nodes.iter().try_for_each(|node| network.nodes[*node].start()),
            Self::Stop(node) => network.nodes[*node].start(),
            Self::Freeze(node) => process(network, *node)?.thaw(),
            Self::Cut(..) => {
                network.links()?.heal();
                Ok(())
            }
            Self::Far => {
                network.links()?.set_all(Link::FAST);
                Ok(())
            }
        }
    }

    /// Its kind, to count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kill(nodes) if nodes.len() == 1 => "one killed",
            Self::Kill(_) => "several killed",
            Self::Stop(_) => "one stopped",
            Self::Freeze(_) => "one frozen",
            Self::Cut(..) => "partition",
            Self::Far => "far links",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(nodes) => write!(f, "kill -9 of {nodes:?}"),
            Self::Stop(node) => write!(f, "{node} stopped"),
            Self::Freeze(node) => write!(f, "{node} frozen"),
            Self::Cut(one, other) => write!(f, "{one:?} and {other:?} cut off from each other"),
            Self::Far => f.write_str("all links 100 ms ± 20 ms with 1 % loss"),
        }
    }
}

fn process(network: &mut Network, node: usize) -> Result<&mut cascoin_e2e::process::Process> {
    let process = network.nodes[node].process();
    process.ok_or_else(|| Error::other(format!("node {node} does not run")))
}
