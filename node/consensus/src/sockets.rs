//! What the operating system is told about the sockets of the peer-to-peer network,
//! so that a network that was cut comes together within seconds of its healing
//! (R31.5) and not within minutes.
//!
//! The network library opens sockets and leaves them as the system makes them. Then
//! three things keep peers apart that can reach each other again:
//! - What was not acknowledged is sent again at ever longer intervals, up to 120 s, for
//!   a quarter of an hour: a link that was cut for a minute is silent for another one
//!   when it is mended. [`TRY_EVERY`] bounds the intervals, also those of a dial, where
//!   the system can do that (Linux from 6.15 on); then a connection outlives most cuts,
//!   and [`GIVE_UP_AFTER`] ends it after longer ones. On older systems it is ended
//!   after [`GIVE_UP_SOON`], and dialled again.
//! - A connection that was given up lives on in the system until its last bytes
//!   arrive, and no other can have the same pair of addresses and ports. The library
//!   dials from the port it listens at, so that the next dial has the very same pair
//!   and is refused. Sockets are therefore closed without lingering.
//! - Two peers that dial each other in the same moment, each from the port it listens
//!   at, make one connection of two dials (RFC 9293, 3.5), of which each side believes
//!   that it began it: the handshake fails. [`dialling_first`] gives each node a port
//!   of its own to dial from, so that a dial of the known address never meets another.
//!
//! Nothing rests on it but speed: where the system refuses an option, nodes find
//! each other later.

use sc_network::{
    multiaddr::{multiaddr, Multiaddr, Protocol},
    service::traits::NetworkService,
};
use socket2::{SockAddr, Socket, Type};
use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    sync::Arc,
    time::Duration,
};

/// Longest interval between two tries, the shortest that the system takes.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How long what was sent may stay without acknowledgement, where it is tried so often.
/// The side with the smaller address gives up earlier by [`EARLIER`]: a dial that fails
/// is repeated after a pause, and the pauses of both sides should not coincide.
const GIVE_UP_AFTER: Duration = Duration::from_secs(90);
const EARLIER: Duration = Duration::from_secs(7);
/// The same where it is not: above the delay of any link that votes could use, and long
/// enough for four tries.
const GIVE_UP_SOON: Duration = Duration::from_secs(4);
/// How often sockets are looked through: new ones get their options soon enough to
/// be given up in time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Addresses to listen at, with one before each kind of them whose port the system
/// chooses: the library dials from the first that fits the peer's address.
pub fn dialling_first(listen: &[Multiaddr]) -> Vec<Multiaddr> {
    let mut kinds: Vec<(bool, bool)> = Vec::new();
    let mut first = Vec::new();
    for address in listen {
        let mut parts = address.iter();
        let ip = parts.next();
        // WebSocket and WebRTC addresses have parts behind the port.
        let (Some(Protocol::Tcp(_)), None) = (parts.next(), parts.next()) else { continue };
        let (kind, dialling) = match ip {
            Some(Protocol::Ip4(ip)) => ((true, ip.is_loopback()), multiaddr!(Ip4(ip), Tcp(0u16))),
            Some(Protocol::Ip6(ip)) => ((false, ip.is_loopback()), multiaddr!(Ip6(ip), Tcp(0u16))),
            _ => continue,
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
            first.push(dialling);
        }
    }
    first.extend(listen.iter().cloned());
    first
}

/// Sets the options of the network's sockets for as long as the node runs.
pub async fn watch(network: Arc<dyn NetworkService>) {
    let mut refused = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let ports: BTreeSet<u16> = network.listen_addresses().iter().filter_map(tcp_port).collect();
        if let Err(error) = set_options(&ports) {
            if !std::mem::replace(&mut refused, true) {
                log::warn!(
                    target: "l2::net",
                    "cannot set options of sockets: {error}; after a partition peers find each \
                     other only as soon as the system lets them",
                );
            }
        }
    }
}

fn tcp_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    })
}

/// Sets the options of this process's TCP sockets at `ports`; dials are among them.
fn set_options(ports: &BTreeSet<u16>) -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let kind = fs::read_link(entry.path());
        if !kind.is_ok_and(|kind| kind.to_string_lossy().starts_with("socket:")) {
            continue;
        }
        let number = entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
        // Closed meanwhile, or of another family.
        let Some(socket) = number.and_then(duplicate) else { continue };
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        let ours = local.is_some_and(|local| ports.contains(&local.port()));
        if ours && socket.r#type().ok() == Some(Type::STREAM) {
            set_options_of(&socket)?;
        }
    }
    Ok(())
}

fn set_options_of(socket: &Socket) -> io::Result<()> {
    // Those that have it have all of them. What a listener has its connections inherit,
    // and theirs depends on the peer.
    if socket.tcp_user_timeout()?.is_some() || socket.is_listener()? {
        return Ok(());
    }
    socket.set_linger(Some(Duration::ZERO))?;
    let timeout = match try_often(socket) {
        true if is_smaller(socket) => GIVE_UP_AFTER - EARLIER,
        true => GIVE_UP_AFTER,
        false => GIVE_UP_SOON,
    };
    socket.set_tcp_user_timeout(Some(timeout))
}

/// Whether this side's address is the smaller one.
fn is_smaller(socket: &Socket) -> bool {
    let ip = |address: io::Result<SockAddr>| Some(address.ok()?.as_socket()?.ip());
    ip(socket.local_addr()) < ip(socket.peer_addr())
}

/// Bounds the interval between two tries; `false` where the system cannot.
#[allow(unsafe_code)]
fn try_often(socket: &Socket) -> bool {
    /// Of Linux's `linux/tcp.h`; the `libc` crate does not name it yet.
    const TCP_RTO_MAX_MS: libc::c_int = 44;
    let milliseconds = TRY_EVERY.as_millis() as libc::c_int;
    // SAFETY: the descriptor is open as long as the socket is lent, and the option's
    // value lives through the call, which reads as many bytes as it is told.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            TCP_RTO_MAX_MS,
            std::ptr::from_ref(&milliseconds).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    answer == 0
}

/// The socket behind a descriptor's number, by a descriptor of its own: whoever owns
/// the first may close it at any time.
#[allow(unsafe_code)]
fn duplicate(number: RawFd) -> Option<Socket> {
    if number < 0 {
        return None;
    }
    // SAFETY: the number is lent to dup(2) alone, which answers EBADF if nothing is
    // open under it, and else gives a descriptor that is owned here.
    let owned = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned().ok()?;
    Some(Socket::from(owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockRef;
    use std::net::{TcpListener, TcpStream};

    fn addresses(texts: &[&str]) -> Vec<Multiaddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_port_to_dial_from_comes_before_each_kind_of_address() {
        let listen = addresses(&[
            "/ip6/::/tcp/30333",
            "/ip4/0.0.0.0/tcp/30333",
            "/ip4/127.0.0.1/tcp/30334",
            "/ip4/10.0.0.1/tcp/30335",
            "/ip4/0.0.0.0/tcp/30336/ws",
        ]);
        let mut expected =
            addresses(&["/ip6/::/tcp/0", "/ip4/0.0.0.0/tcp/0", "/ip4/127.0.0.1/tcp/0"]);
        expected.extend(listen.clone());
        assert_eq!(dialling_first(&listen), expected);
    }

    #[test]
    fn the_network_s_sockets_get_their_options_and_others_do_not() {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        let dialled = ports.map(|port| TcpStream::connect(("127.0.0.1", port)).unwrap());
        let accepted = listeners.each_ref().map(|listener| listener.accept().unwrap().0);
        set_options(&BTreeSet::from([ports[0]])).unwrap();
        let options = |stream: &TcpStream| {
            let socket = SockRef::from(stream);
            (socket.linger().unwrap(), socket.tcp_user_timeout().unwrap())
        };
        let (linger, timeout) = options(&accepted[0]);
        assert_eq!(linger, Some(Duration::ZERO));
        assert!([GIVE_UP_AFTER, GIVE_UP_SOON].map(Some).contains(&timeout), "{timeout:?}");
        assert_eq!(options(&accepted[1]), (None, None));
        assert_eq!(options(&dialled[0]), (None, None), "its own port is another");
    }
}
