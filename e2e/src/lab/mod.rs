//! A laboratory of nodes with real networks between them, whose links lose,
//! delay and cut what they carry (Linux; needs root).
//!
//! Each node has a network namespace of its own with two ways out:
//!
//! - a TUN device whose packets a relay in this process carries to the others, by
//!   the table of [`Links`]: here TCP meets real loss, delay and partitions;
//! - a veth pair to this machine that nothing disturbs, over which tests call
//!   RPC and read metrics.
//!
//! The kernel's own tools for this (`tc netem`, `nftables`) are not compiled into
//! every kernel; TUN and veth are.
//!
//! Guarantees: nothing of it outlives its [`Lab`], or the process that made it:
//! devices go with the relay, and what a killed process left is removed by the
//! next one.

mod command;
mod disk;
mod links;
mod names;
mod packet;
mod queue;
mod relay;

pub use disk::SmallDisk;
pub use links::{Link, Links};

use crate::error::{Error, Result};
use command::{ip, ip_batch};
use names::Names;
use relay::Relay;
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

/// Nodes of one laboratory; more do not fit the control network's addresses.
const MAX_NODES: usize = 60;
/// As on Ethernet, so that loss hits packets of the usual size.
const MTU: u32 = 1_500;

/// Where a node of a laboratory lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its network namespace.
    pub namespace: String,
    /// Its address among the nodes; over links that may fail.
    pub address: Ipv4Addr,
    /// Where this machine reaches it always.
    pub control: IpAddr,
}

/// A running laboratory. Dropping it removes it, and with it the nodes' networks.
pub struct Lab {
    // First: with the relay the TUN devices go.
    relay: Option<Relay>,
    links: Links,
    places: Vec<Place>,
    names: Names,
}

impl Lab {
    /// Makes places for `nodes` nodes, all links up and fast. `seed` decides which
    /// packets are lost.
    ///
    /// # Errors
    /// [`Error::Other`] if this process may not make network namespaces, or the
    /// machine lacks TUN devices or iproute2.
    pub fn start(nodes: usize, seed: u64) -> Result<Self> {
        if nodes > MAX_NODES {
            return Err(Error::other(format!("a laboratory has at most {MAX_NODES} nodes")));
        }
        check_rights()?;
        names::remove_stale();
        let names = Names::choose()?;
        let links = Links::new(nodes);
        // Whatever fails from here on, dropping it cleans up.
        let mut lab = Self { relay: None, links: links.clone(), places: Vec::new(), names };
        let devices: Vec<String> = (0..nodes).map(|node| lab.names.tun(node)).collect();
        let addresses: Vec<Ipv4Addr> = (0..nodes).map(address).collect();
        lab.relay = Some(Relay::start(devices, addresses, links, seed)?);
        for node in 0..nodes {
            let place = lab.furnish(node)?;
            lab.places.push(place);
        }
        Ok(lab)
    }

    /// Makes a node's namespace and gives it its devices.
    fn furnish(&self, node: usize) -> Result<Place> {
        let namespace = self.names.namespace(node);
        let (tun, outer, inner) =
            (self.names.tun(node), self.names.outer(node), self.names.inner(node));
        let (here, there) = self.names.control(node);
        let address = address(node);
        ip(&["netns", "add", &namespace])?;
        ip_batch(
            None,
            &[
                format!("link set {tun} netns {namespace}"),
                format!("link add {outer} type veth peer name {inner} netns {namespace}"),
                format!("address add {here}/30 dev {outer}"),
                format!("link set {outer} up"),
            ],
        )?;
        ip_batch(
            Some(&namespace),
            &[
                "link set lo up".into(),
                format!("link set {tun} mtu {MTU} up"),
                format!("address add {address}/24 dev {tun}"),
                format!("address add {there}/30 dev {inner}"),
                format!("link set {inner} up"),
            ],
        )?;
        Ok(Place { namespace, address, control: there.into() })
    }

    /// The links between the nodes. Changes hold at once.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Where each node lives.
    pub fn places(&self) -> &[Place] {
        &self.places
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The devices go when the relay lets go of them; namespaces die with the
        // last process in them, so the pairs that cross into them go by name.
        drop(self.relay.take());
        for node in 0..self.links.nodes() {
            let _ = ip(&["link", "delete", &self.names.outer(node)]);
            let _ = ip(&["netns", "delete", &self.names.namespace(node)]);
        }
    }
}

/// A node's address among the nodes; each namespace has its own such network, so
/// that laboratories do not disturb each other.
fn address(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, node as u8 + 1)
}

/// Fails with what to do if this process cannot make a laboratory.
fn check_rights() -> Result<()> {
    /// `CAP_NET_ADMIN` and `CAP_SYS_ADMIN` of `linux/capability.h`.
    const NEEDED: u64 = 1 << 12 | 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .unwrap_or_default();
    if capabilities & NEEDED != NEEDED {
        return Err(Error::other(
            "tests of network faults make network namespaces: run them as root on Linux, or leave \
             the end-to-end tests out with `scripts/test --no-e2e`",
        ));
    }
    if !Path::new("/dev/net/tun").exists() {
        return Err(Error::other("tests of network faults need TUN devices: no /dev/net/tun here"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
