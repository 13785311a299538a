//! Closes TCP connections that get no answer, so that new ones are made.
//!
//! A kernel that gets no answer waits twice as long before each further try, up to two
//! minutes. After a partition of a minute a connection from before stays silent for most
//! of another one, although the network is whole again; and while it is open, no other
//! one is made to the same peer. So a connection whose data was sent [`TRIES`] times in
//! vain is shut down here. Its peer is dialled anew, again and again, and the first dial
//! after healing gets through.
//!
//! Linux tells the number of tries in `/proc/self/net/tcp`. Elsewhere nothing is done.
//! Clients of the node's own servers are left alone: they may be slow as they like.

use nix::sys::socket::{shutdown, Shutdown};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::fd::RawFd,
    time::Duration,
};

/// Sent so often without an answer: after 0.2 + 0.4 + 0.8 + 1.6 s on a fast link, and
/// twice that across the world. By loss alone, of one packet in a hundred, it happens
/// once in a hundred million packets.
pub const TRIES: u32 = 4;
/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// How the table shows a connection that is open.
const ESTABLISHED: &str = "01";

/// An open connection of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The port here.
    pub local_port: u16,
    /// How often the data that waits was sent again.
    pub retries: u32,
    /// What the kernel calls its socket.
    pub inode: u64,
}

/// Reads the open connections of a table in the form of `/proc/net/tcp`; lines of
/// another form are left out.
pub fn connections(table: &str) -> Vec<Connection> {
    table.lines().skip(1).filter_map(connection).collect()
}

fn connection(line: &str) -> Option<Connection> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, local, _, state, _, _, retries, _, _, inode, ..] = fields[..] else { return None };
    (state == ESTABLISHED).then_some(())?;
    let (_, port) = local.rsplit_once(':')?;
    Some(Connection {
        local_port: u16::from_str_radix(port, 16).ok()?,
        retries: u32::from_str_radix(retries, 16).ok()?,
        inode: inode.parse().ok()?,
    })
}

/// The sockets of connections that stalled, but for those to the ports of servers.
pub fn stalled(connections: &[Connection], servers: &BTreeSet<u16>) -> BTreeSet<u64> {
    let stalled =
        connections.iter().filter(|one| one.retries >= TRIES && !servers.contains(&one.local_port));
    stalled.map(|one| one.inode).collect()
}

/// Closes stalled connections of this process, for ever. `servers`: the ports of its
/// servers, whose clients are left alone.
pub async fn run(servers: BTreeSet<u16>) {
    loop {
        futures_timer::Delay::new(INTERVAL).await;
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
        let tables = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
        let open: Vec<_> = tables.flat_map(|table| connections(&table)).collect();
        let stalled = stalled(&open, &servers);
        if stalled.is_empty() {
            continue;
        }
        for (inode, descriptor) in own_sockets() {
            if stalled.contains(&inode) && shutdown(descriptor, Shutdown::Both).is_ok() {
                log::debug!(target: "l2::net", "closed a connection that gets no answer");
            }
        }
    }
}

/// The sockets of this process: what the kernel calls them, and their descriptors. The
/// table has those of others, too.
fn own_sockets() -> BTreeMap<u64, RawFd> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return BTreeMap::new() };
    let socket = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
        Some((inode, entry.file_name().to_str()?.parse().ok()?))
    };
    entries.flatten().filter_map(socket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:7C20 00000000:0000 0A 00000000:00000000 00:00000000 00000009     0        0 11 1 0
   1: 0100007F:7C20 0100007F:C350 01 00000010:00000000 01:00000014 00000004     0        0 12 2 0
   2: 0100007F:C351 0100007F:7C21 01 00000010:00000000 01:00000014 00000010     0        0 13 2 0
   3: 0100007F:C352 0100007F:7C21 01 00000000:00000000 00:00000000 00000003     0        0 14 2 0
   4: nonsense
   5: 0100007F:2692 0100007F:C353 01 00000010:00000000 01:00000014 00000007     0        0 15 2 0
";

    #[test]
    fn what_gets_no_answer_is_found_and_clients_of_servers_are_not() {
        let open = connections(TABLE);
        assert_eq!(open.len(), 4, "no listeners, no nonsense");
        assert_eq!(open[1], Connection { local_port: 50_001, retries: 16, inode: 13 });
        // 9874 is a server's.
        assert_eq!(stalled(&open, &[9_874].into()), [12, 13].into());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_own_table_is_read_and_names_our_sockets() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let client = std::net::TcpStream::connect(address).expect("it listens");
        let port = client.local_addr().expect("it is connected").port();
        let table = fs::read_to_string("/proc/self/net/tcp").expect("Linux has it");
        let open = connections(&table);
        let ours = open.iter().find(|one| one.local_port == port).expect("it is open");
        assert_eq!(ours.retries, 0);
        assert!(own_sockets().contains_key(&ours.inode));
    }
}
