//! The front's HTTP server. Bounded in connections, bytes and time, because any
//! program on the machine can reach it.

use super::{
    guard::admit,
    rewrite::{refusal, Reply, Request},
    upstream,
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::{Bytes, Incoming},
    header::{HeaderValue, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
    Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

/// How the front serves.
#[derive(Clone, Debug)]
pub struct FrontConfig {
    /// Where it listens; must be a loopback address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The node's real RPC port.
    pub upstream: SocketAddr,
    /// Largest request body, in bytes.
    pub max_request_bytes: usize,
    /// Largest reply passed on, in bytes.
    pub max_reply_bytes: usize,
    /// Connections served at once; more wait to be accepted.
    pub max_connections: usize,
    /// Time a client has for a request's head, for its body, and to stay idle.
    pub client_timeout: Duration,
    /// Time the node has for its reply. Building a burn can wait for the L1 node.
    pub upstream_timeout: Duration,
}

impl FrontConfig {
    /// The defaults: 1 MiB in, 32 MiB out, 64 connections, 30 s for the client,
    /// 120 s for the node.
    pub fn new(listen: SocketAddr, upstream: SocketAddr) -> Self {
        Self {
            listen,
            upstream,
            max_request_bytes: 1 << 20,
            max_reply_bytes: 32 << 20,
            max_connections: 64,
            client_timeout: Duration::from_secs(30),
            upstream_timeout: Duration::from_secs(120),
        }
    }
}

/// Why the front does not serve.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// The front has no access control but the machine's border.
    #[error("the JSON-RPC 1.0 front listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be taken.
    #[error("the JSON-RPC 1.0 front cannot listen on {address}: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// A front that listens. Dropping it, or the future of [`Front::run`], closes its
/// port and all its connections.
#[derive(Debug)]
pub struct Front {
    listener: TcpListener,
    address: SocketAddr,
    config: Arc<FrontConfig>,
}

impl Front {
    /// Takes the port.
    ///
    /// # Errors
    /// [`FrontError`] when the address is not loopback or cannot be taken.
    pub async fn bind(config: FrontConfig) -> Result<Self, FrontError> {
        let address = config.listen;
        if !address.ip().is_loopback() {
            return Err(FrontError::NotLoopback(address));
        }
        let bind = |error| FrontError::Bind { address, error };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, config: Arc::new(config) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until dropped.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(self.config.max_connections));
        let mut connections = JoinSet::new();
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let config = self.config.clone();
                    connections.spawn(async move {
                        serve_connection(stream, config).await;
                        drop(place);
                    });
                }
                // Out of file descriptors, or the client went away at once.
                Err(error) => {
                    log::debug!(target: "l2::rpc", "JSON-RPC 1.0 front: accept: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// Binds and serves; returns only if it cannot listen.
///
/// # Errors
/// [`FrontError`] of [`Front::bind`].
pub async fn serve(config: FrontConfig) -> Result<(), FrontError> {
    let front = Front::bind(config).await?;
    log::info!(
        target: "l2::rpc",
        "JSON-RPC 1.0 front for Core's clients on {}, forwarding to {}",
        front.local_addr(),
        front.config.upstream,
    );
    front.run().await;
    Ok(())
}

async fn serve_connection(stream: TcpStream, config: Arc<FrontConfig>) {
    let client_timeout = config.client_timeout;
    let service = service_fn(move |request| {
        let config = config.clone();
        async move { Ok::<_, Infallible>(http_response(handle(request, &config).await)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(client_timeout)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        log::debug!(target: "l2::rpc", "JSON-RPC 1.0 front: {error}");
    }
}

async fn handle(request: hyper::Request<Incoming>, config: &FrontConfig) -> Reply {
    if let Err(refused) = admit(request.method(), request.uri(), request.headers()) {
        return refusal(refused.status().as_u16(), &refused.to_string());
    }
    let body = Limited::new(request.into_body(), config.max_request_bytes).collect();
    let body = match timeout(config.client_timeout, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return refusal(413, "the request is too large");
        }
        Ok(Err(_)) => return refusal(400, "the request's body is incomplete"),
        Err(_) => return refusal(408, "the request's body took too long"),
    };
    let request = match Request::read(&body) {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match request.upstream_body() {
        Some(upward) => match upstream::post(config, upward).await {
            Ok(answer) => request.reply(Ok(&answer)),
            Err(error) => request.reply(Err(error)),
        },
        None => request.reply(Ok(&[])),
    }
}

fn http_response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.status != 204 {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}
