//! One call to the node's real RPC port: a plain HTTP POST on a connection of its
//! own (both ends are on this machine, so pooling would gain nothing).

use super::{rewrite::UpstreamError, server::FrontConfig};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST},
    Request, StatusCode,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// Posts a JSON-RPC 2.0 body and returns the reply's body.
///
/// # Errors
/// [`UpstreamError`] when there is no reply that could be read.
pub async fn post(config: &FrontConfig, body: Vec<u8>) -> Result<Bytes, UpstreamError> {
    timeout(config.upstream_timeout, exchange(config, body))
        .await
        .unwrap_or(Err(UpstreamError::TimedOut))
}

async fn exchange(config: &FrontConfig, body: Vec<u8>) -> Result<Bytes, UpstreamError> {
    let stream =
        TcpStream::connect(config.upstream).await.map_err(|_| UpstreamError::Unreachable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| UpstreamError::Unreachable)?;
    // Ends with this call, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::post("/")
        .header(HOST, config.upstream.to_string())
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| UpstreamError::Unreadable)?;
    let response = sender.send_request(request).await.map_err(|_| UpstreamError::Unreadable)?;
    if response.status() != StatusCode::OK {
        return Err(UpstreamError::Refused(response.status().as_u16()));
    }
    let limited = Limited::new(response.into_body(), config.max_reply_bytes);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(UpstreamError::TooLarge),
        Err(_) => Err(UpstreamError::Unreadable),
    }
}
