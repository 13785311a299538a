//! Names and addresses of a laboratory's parts, unique on the machine, that say
//! which process they belong to.

use super::command::{ip, run};
use crate::error::{Error, Result};
use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Begins the name of every namespace, and the source of every mount.
const PREFIX: &str = "cascoin-lab-";
/// First bytes of the control networks' addresses. Only these need be unique on
/// the machine.
const CONTROL: [u8; 2] = [10, 78];

static LABS: AtomicU32 = AtomicU32::new(0);

/// The names of one laboratory.
pub(super) struct Names {
    process: u32,
    lab: u32,
    /// Third byte of its control addresses.
    subnet: u8,
}

impl Names {
    /// Names that nobody uses.
    ///
    /// # Errors
    /// [`Error::Other`] if all control networks are taken.
    pub(super) fn choose() -> Result<Self> {
        let lab = LABS.fetch_add(1, Ordering::SeqCst) % 100;
        let taken = ip(&["-4", "address", "show"])?;
        let first = process::id().wrapping_add(lab);
        let subnet = (0..=u32::from(u8::MAX))
            .map(|offset| (first.wrapping_add(offset) % 256) as u8)
            .find(|subnet| !taken.contains(&format!("{}.{}.{subnet}.", CONTROL[0], CONTROL[1])))
            .ok_or_else(|| Error::other("no free control network for a laboratory"))?;
        Ok(Self { process: process::id(), lab, subnet })
    }

    pub(super) fn namespace(&self, node: usize) -> String {
        format!("{PREFIX}{}-{}-{node}", self.process, self.lab)
    }

    /// The TUN device among the nodes. Linux allows 15 bytes.
    pub(super) fn tun(&self, node: usize) -> String {
        self.device('t', node)
    }

    /// This machine's end of the control link.
    pub(super) fn outer(&self, node: usize) -> String {
        self.device('c', node)
    }

    /// The node's end of it.
    pub(super) fn inner(&self, node: usize) -> String {
        self.device('n', node)
    }

    fn device(&self, kind: char, node: usize) -> String {
        format!("{kind}l{:x}_{}_{node}", self.process, self.lab)
    }

    /// Addresses of both ends of the control link: here, there.
    pub(super) fn control(&self, node: usize) -> (Ipv4Addr, Ipv4Addr) {
        let at = |offset: u8| {
            Ipv4Addr::new(CONTROL[0], CONTROL[1], self.subnet, 4 * node as u8 + offset)
        };
        (at(1), at(2))
    }
}

/// The source of this process's mounts.
pub(super) fn mount_source() -> String {
    format!("{PREFIX}{}", process::id())
}

/// Removes what processes left that are gone. Failures are ignored: somebody else
/// may be at it.
pub(super) fn remove_stale() {
    let namespaces = ip(&["netns", "list"]).unwrap_or_default();
    for name in namespaces.lines().filter_map(|line| line.split_whitespace().next()) {
        if is_stale(name) {
            let _ = ip(&["netns", "delete", name]);
        }
    }
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    for line in mounts.lines() {
        let mut fields = line.split(' ');
        if let (Some(source), Some(folder)) = (fields.next(), fields.next()) {
            if is_stale(source) {
                let _ = run("umount", &["--lazy", folder]);
            }
        }
    }
}

/// Whether a name is of a process that is gone.
fn is_stale(name: &str) -> bool {
    owner(name).is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists())
}

fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_process_and_fit_the_kernel() {
        // The largest process id of Linux.
        let names = Names { process: 1 << 22, lab: 99, subnet: 255 };
        assert!(names.tun(59).len() <= 15, "{}", names.tun(59));
        assert_eq!(owner(&names.namespace(3)), Some(1 << 22));
        assert_eq!(owner("cascoin-lab-7"), Some(7));
        assert_eq!(owner("another-lab-7-1-2"), None);
        assert!(is_stale(&names.namespace(0)), "no process has this id");
        assert!(!is_stale(&mount_source()));
        assert_eq!(names.control(59), ([10, 78, 255, 237].into(), [10, 78, 255, 238].into()));
    }
}
