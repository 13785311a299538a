//! HTTP/1.1 to the L1 node: connections, and one request with its reply, both
//! bounded.
//!
//! Why not a transport of the `jsonrpc` crate: `simple_http` takes replies up to
//! 1 GiB from a node we do not trust, its time-out restarts with every byte, and
//! it sends a request a second time by itself when the reply fails, which must
//! not happen to a call that moves money.
//!
//! Here a reply has a size limit, a request has a deadline, and nothing is sent
//! twice or connected anew behind the caller's back: who answers at the other end
//! of a new connection is for the caller to find out.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};
use thiserror::Error;

/// Largest reply, in bytes: a block of 4,000,000 bytes in hex, and room for its envelope.
pub const MAX_BODY: u64 = 16 * 1024 * 1024;
/// Longest wait for a connection to one address of a node, and never longer than the call
/// may take: a machine that is gone answers nothing at all, and the next node waits.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest head of a reply, in bytes.
const MAX_HEAD: u64 = 64 * 1024;

/// Where a node listens: `http://host[:port]`, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    host: String,
    port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority())
    }
}

impl Endpoint {
    /// Reads a URL; what it would lose in silence (path, credentials, TLS) is
    /// refused. The reason repeats nothing of it: wherever a URL differs from what
    /// we expect there may be a password.
    pub(super) fn parse(url: &str, default_port: u16) -> Result<Self, String> {
        if url.contains('@') {
            return Err("put credentials into a file (--l1-rpc-auth-file), not into the URL".into());
        }
        let rest = match url.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err("only http is supported, give http://host:port".into()),
            None => url,
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '?', '#', ' ', '\r', '\n']) {
            return Err("http://host:port expected, and nothing else".into());
        }
        let bad_port = |_| "the port behind the last colon is none (1 to 65535)".to_string();
        // The last colon starts the port, unless it stands inside an IPv6 address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(bad_port)?),
            _ => (authority, default_port),
        };
        Ok(Self { host: host.into(), port })
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects.
    pub(super) fn connect(&self, deadline: Instant) -> Result<Connection, HttpError> {
        let stream = self.stream(deadline).map_err(HttpError::NotSent)?;
        Ok(Connection { stream: BufReader::new(stream), host: self.authority(), reusable: true })
    }

    fn stream(&self, deadline: Instant) -> io::Result<TcpStream> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
        for address in (name, self.port).to_socket_addrs()? {
            let timeout = remaining(deadline)?.min(CONNECT_TIMEOUT);
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Why a request failed on the way.
#[derive(Debug, Error)]
pub(super) enum HttpError {
    /// Not delivered: the node cannot have acted on it.
    #[error("{0}")]
    NotSent(io::Error),
    /// Sent at least in part, and no complete reply: the node may have acted.
    #[error("{0}")]
    Lost(io::Error),
    /// 401 or 403.
    #[error("refused with HTTP status {0}")]
    Unauthorized(u16),
    /// Any other status without a JSON body, for example 503 under load.
    #[error("HTTP status {0}")]
    Status(u16),
}

/// A reply's body, whatever its status, as long as it is JSON.
pub(super) struct Reply(pub Vec<u8>);

/// A request to a node.
pub(super) struct Request<'a> {
    pub path: &'a str,
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
}

/// A connection to a node.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    /// For the `Host` header.
    host: String,
    /// Whether another request can follow.
    reusable: bool,
}

impl Connection {
    /// Whether another request can follow: all replies so far were whole, and the
    /// node keeps the connection open.
    pub(super) fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// Sends `request` and waits for the whole reply.
    pub(super) fn exchange(
        &mut self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Reply, HttpError> {
        if !std::mem::take(&mut self.reusable) {
            return Err(HttpError::NotSent(invalid(
                "the node closes the connection after each reply; HTTP keep-alive is needed",
            )));
        }
        self.write(&self.serialize(request), deadline).map_err(HttpError::Lost)?;
        let (reply, reusable) = self.read(deadline)?;
        self.reusable = reusable;
        Ok(reply)
    }

    fn serialize(&self, request: &Request) -> Vec<u8> {
        let mut head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            request.path,
            self.host,
            request.body.len()
        );
        if let Some(value) = request.authorization {
            head.push_str(&format!("Authorization: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(request.body);
        bytes
    }

    fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        let stream = self.stream.get_mut();
        while !bytes.is_empty() {
            stream.set_write_timeout(Some(remaining(deadline)?))?;
            match stream.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A reply, and whether another can follow.
    fn read(&mut self, deadline: Instant) -> Result<(Reply, bool), HttpError> {
        let mut reader = Deadlined { inner: &mut self.stream, deadline };
        let head = Head::read(&mut reader).map_err(HttpError::Lost)?;
        if matches!(head.status, 401 | 403) {
            return Err(HttpError::Unauthorized(head.status));
        }
        let mut body = Vec::new();
        let limit = head.length.unwrap_or(MAX_BODY);
        if limit > MAX_BODY {
            return Err(HttpError::Lost(invalid("the reply is too large")));
        }
        (&mut reader).take(limit).read_to_end(&mut body).map_err(HttpError::Lost)?;
        match head.length {
            Some(length) if (body.len() as u64) < length => {
                return Err(HttpError::Lost(io::ErrorKind::UnexpectedEof.into()));
            }
            None if body.len() as u64 == MAX_BODY => {
                return Err(HttpError::Lost(invalid("the reply is too large")));
            }
            _ => {}
        }
        // Core sends errors as JSON with status 404 or 500, overload as plain text.
        let is_json = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        if head.status != 200 && !is_json {
            return Err(HttpError::Status(head.status));
        }
        Ok((Reply(body), head.keep_alive && head.length.is_some()))
    }
}

struct Head {
    status: u16,
    length: Option<u64>,
    keep_alive: bool,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut reader = reader.take(MAX_HEAD);
        let mut line = String::new();
        let mut next = |line: &mut String| -> io::Result<()> {
            line.clear();
            reader.read_line(line)?;
            // A line that ends without a newline is cut off by the peer or by us.
            line.ends_with('\n').then_some(()).ok_or(io::ErrorKind::UnexpectedEof.into())
        };
        next(&mut line)?;
        let status = line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| invalid("not an HTTP reply"))?;
        let mut head = Self { status, length: None, keep_alive: line.starts_with("HTTP/1.1") };
        loop {
            next(&mut line)?;
            let field = line.trim_end();
            if field.is_empty() {
                return Ok(head);
            }
            let (name, value) = field.split_once(':').ok_or_else(|| invalid("bad HTTP header"))?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse().map_err(|_| invalid("bad content length"))?);
            } else if name.eq_ignore_ascii_case("connection") {
                head.keep_alive &= !value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                // No Core since 0.12 answers RPC in chunks.
                return Err(invalid("chunked replies are not supported"));
            }
        }
    }
}

/// Reads until a deadline, however slowly the peer drips.
struct Deadlined<'a> {
    inner: &'a mut BufReader<TcpStream>,
    deadline: Instant,
}

impl Read for Deadlined<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Deadlined<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.inner.buffer().is_empty() {
            self.inner.get_ref().set_read_timeout(Some(remaining(self.deadline)?))?;
        }
        self.inner.fill_buf().map_err(|error| match error.kind() {
            // What a socket says when its time-out is over differs by system.
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            _ => error,
        })
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left).ok_or(io::ErrorKind::TimedOut.into())
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// A node that gives the requests of one connection the scripted bytes, in
    /// turn, and then closes it.
    fn node(replies: Vec<&'static [u8]>) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            for reply in replies {
                let mut seen = Vec::new();
                let mut byte = [0; 1];
                while !seen.ends_with(b"\r\n\r\n{}") {
                    match stream.read(&mut byte) {
                        Ok(1) => seen.push(byte[0]),
                        _ => return,
                    }
                }
                let _ = stream.write_all(reply);
            }
        });
        Endpoint { host: "127.0.0.1".into(), port }
    }

    fn deadline() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn send(connection: &mut Connection) -> Result<Vec<u8>, HttpError> {
        let request = Request { path: "/", authorization: None, body: b"{}" };
        connection.exchange(&request, deadline()).map(|Reply(body)| body)
    }

    /// The answer of a node that gives this reply.
    fn answer(reply: &'static [u8]) -> Result<Vec<u8>, HttpError> {
        send(&mut node(vec![reply]).connect(deadline()).expect("it listens"))
    }

    const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{\"\"}";

    #[test]
    fn urls_are_read_strictly() {
        let parse = |url| Endpoint::parse(url, 19443).map(|endpoint| endpoint.to_string());
        assert_eq!(parse("http://127.0.0.1:8332"), Ok("http://127.0.0.1:8332".into()));
        assert_eq!(parse("localhost"), Ok("http://localhost:19443".into()));
        assert_eq!(parse("http://[::1]:80/"), Ok("http://[::1]:80".into()));
        assert_eq!(parse("http://[::1]"), Ok("http://[::1]:19443".into()));
        for bad in ["https://host", "http://user:pw@host", "http://host/path", "", "host:99999"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_secrets() {
        for url in [
            "https://user:s3cret@host:1",
            "http://user:s3cret@host:1",
            "user:s3cret@host",
            "http://user:s3cret",
            "http://host/?password=s3cret",
            "https://host/s3cret",
            "http://host:1#s3cret",
        ] {
            let reason = Endpoint::parse(url, 1).expect_err(url);
            assert!(!reason.contains("s3cret") && !reason.contains("user"), "{url}: {reason}");
            let about_credentials = reason.contains("--l1-rpc-auth-file");
            assert_eq!(about_credentials, url.contains('@'), "{url}: {reason}");
        }
    }

    #[test]
    fn a_connection_serves_many_requests_and_is_never_replaced() {
        let node = node(vec![GOOD, GOOD]);
        let mut connection = node.connect(deadline()).expect("it listens");
        for _ in 0..2 {
            assert_eq!(send(&mut connection).expect("answered"), b"{\"\"}");
            assert!(connection.is_reusable());
        }
        // The node has closed it. Whether it acted on the request is not known.
        assert!(matches!(send(&mut connection), Err(HttpError::Lost(_))));
        assert!(!connection.is_reusable());
        assert!(matches!(send(&mut connection), Err(HttpError::NotSent(_))), "not even tried");
    }

    #[test]
    fn a_node_that_announces_to_close_gets_no_second_request() {
        let closing = &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"[..];
        let endless = &b"HTTP/1.1 200 OK\r\n\r\n{}"[..];
        for reply in [closing, endless] {
            let mut connection = node(vec![reply]).connect(deadline()).expect("it listens");
            assert_eq!(send(&mut connection).expect("answered"), b"{}");
            assert!(matches!(send(&mut connection), Err(HttpError::NotSent(_))));
        }
    }

    #[test]
    fn hostile_replies_end_in_an_error() {
        for reply in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 ",
        ] {
            let error = answer(reply);
            assert!(matches!(error, Err(HttpError::Lost(_))), "{reply:?}");
        }
    }

    /// A node that answers the first connection with what `answer` writes.
    fn node_that(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            answer(&mut stream);
        });
        Endpoint { host: "127.0.0.1".into(), port }
    }

    #[test]
    fn a_reply_without_end_is_cut_off() {
        let node = node_that(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{");
            let part = [b' '; 64 * 1024];
            // Until the client has enough of it.
            while stream.write_all(&part).is_ok() {}
        });
        let answered = send(&mut node.connect(deadline()).expect("it listens"));
        let Err(HttpError::Lost(error)) = answered else { panic!("taken, or not even sent") };
        assert!(error.to_string().contains("too large"), "{error}");
    }

    #[test]
    fn a_node_that_drips_is_given_up_at_the_deadline() {
        let node = node_that(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{");
            while stream.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        });
        let mut connection = node.connect(deadline()).expect("it listens");
        let request = Request { path: "/", authorization: None, body: b"{}" };
        let (started, limit) = (Instant::now(), Duration::from_millis(300));
        let answered = connection.exchange(&request, started + limit);
        assert!(matches!(answered, Err(HttpError::Lost(_))));
        // Each byte began no time-out anew.
        assert!((limit..limit * 20).contains(&started.elapsed()), "{:?}", started.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_heads_never_panic(bytes: Vec<u8>, lines in "HTTP/1.[01] [2-5]?[0-9]{0,4}[\\r\\n:a-zA-Z -]{0,60}") {
            let _ = Head::read(&mut bytes.as_slice());
            let _ = Head::read(&mut lines.as_bytes());
        }
    }

    #[test]
    fn statuses_are_told_apart() {
        let unauthorized = &b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"[..];
        assert!(matches!(answer(unauthorized), Err(HttpError::Unauthorized(401))));
        let busy = &b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nWork"[..];
        assert!(matches!(answer(busy), Err(HttpError::Status(503))));
        let refused = &b"HTTP/1.1 500 Error\r\nContent-Length: 2\r\n\r\n{}"[..];
        assert_eq!(answer(refused).expect("a body"), b"{}");
        let nobody = Endpoint { host: "127.0.0.1".into(), port: 1 };
        assert!(matches!(nobody.connect(deadline()), Err(HttpError::NotSent(_))));
    }
}
