//! What the operating system is told about the sockets of the peer-to-peer network,
//! so that a network that was cut comes together within seconds of its healing
//! (R31.5) and not within minutes.
//!
//! The network library opens sockets and leaves them as the system makes them. Then
//! three things keep peers apart that can reach each other again:
//! - A connection that was cut counts as open for as long as the system goes on
//!   sending what was not acknowledged, at ever longer intervals: up to 120 s apart,
//!   for a quarter of an hour. [`GIVE_UP_AFTER`] ends it on both sides.
//! - A connection that was given up lives on in the system until its last bytes
//!   arrive, and no other can have the same pair of addresses and ports. The library
//!   dials from the port it listens at, so that the next dial has the very same pair
//!   and is refused. Sockets are therefore closed without lingering.
//! - Two peers that dial each other in the same moment, each from the port it listens
//!   at, make one connection of two dials (RFC 9293, 3.5), of which each side believes
//!   that it began it: the handshake fails. [`dialling_first`] gives each node a port
//!   of its own to dial from.
//!
//! Nothing rests on it but speed: where the system refuses an option, nodes find
//! each other later.

use sc_network::{
    multiaddr::{multiaddr, Multiaddr, Protocol},
    service::traits::NetworkService,
};
use socket2::{SockRef, Socket, Type};
use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::{BorrowedFd, RawFd},
    sync::Arc,
    time::Duration,
};

/// How long what was sent may stay without acknowledgement. Above the delay of any
/// link that votes could use, and long enough for four retransmissions.
const GIVE_UP_AFTER: Duration = Duration::from_secs(4);
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
            set_options_of(&SockRef::from(&socket))?;
        }
    }
    Ok(())
}

fn set_options_of(socket: &SockRef<'_>) -> io::Result<()> {
    if socket.tcp_user_timeout()? == Some(GIVE_UP_AFTER) {
        return Ok(());
    }
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_user_timeout(Some(GIVE_UP_AFTER))
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
        assert_eq!(options(&accepted[0]), (Some(Duration::ZERO), Some(GIVE_UP_AFTER)));
        assert_eq!(options(&accepted[1]), (None, None));
        assert_eq!(options(&dialled[0]), (None, None), "its own port is another");
    }
}
