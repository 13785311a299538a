//! A small blocking JSON-RPC client over HTTP: one connection a call, so that a
//! node that was killed and restarted needs no reconnecting.

use crate::error::{Error, Result};
use base64::{prelude::BASE64_STANDARD, Engine};
use serde_json::{json, Value};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longest time for one call.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// Largest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// A node's JSON-RPC endpoint on loopback.
#[derive(Clone, Debug)]
pub struct RpcClient {
    address: SocketAddr,
    authorization: Option<String>,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl RpcClient {
    /// The endpoint at `port` of 127.0.0.1.
    pub fn local(port: u16) -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], port)), authorization: None }
    }

    /// The endpoint at an address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, authorization: None }
    }

    /// The same endpoint, with `user:password` in every call.
    pub fn with_credentials(self, credentials: &str) -> Self {
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        Self { authorization: Some(authorization), ..self }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls `method` with positional `params`.
    ///
    /// # Errors
    /// [`Error::Rpc`] with the node's error, [`Error::Transport`] if there is no
    /// proper answer.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.post_json(&request)?;
        self.result_of(method, answer)
    }

    /// Sends many calls of one method in one request; the answers in the order
    /// of the calls.
    ///
    /// # Errors
    /// [`Error::Transport`] if there is no proper answer to the batch as a
    /// whole; each call has its own result.
    pub fn batch(&self, method: &str, params: &[Value]) -> Result<Vec<Result<Value>>> {
        let calls: Vec<Value> = params
            .iter()
            .enumerate()
            .map(|(id, params)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .collect();
        let Value::Array(mut answers) = self.post_json(&Value::Array(calls))? else {
            return Err(self.unusable("the answer to a batch is not an array"));
        };
        answers.sort_by_key(|answer| answer["id"].as_u64());
        Ok(answers.into_iter().map(|answer| self.result_of(method, answer)).collect())
    }

    /// Posts `body` as it is, with extra header lines; what comes back is not
    /// interpreted.
    ///
    /// # Errors
    /// [`Error::Transport`] if there is no HTTP answer.
    pub fn post(&self, body: &str, headers: &[(&str, &str)]) -> Result<HttpAnswer> {
        let broken = |error: std::io::Error| self.unusable(&error.to_string());
        let mut stream = TcpStream::connect_timeout(&self.address, CALL_LIMIT).map_err(broken)?;
        stream.set_read_timeout(Some(CALL_LIMIT)).map_err(broken)?;
        stream.set_write_timeout(Some(CALL_LIMIT)).map_err(broken)?;
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).map_err(broken)?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer).map_err(broken)?;
        parse_http(&answer).ok_or_else(|| self.unusable("no HTTP answer"))
    }

    fn post_json(&self, request: &Value) -> Result<Value> {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(self.authorization.as_deref().map(|value| ("Authorization", value)));
        let answer = self.post(&request.to_string(), &headers)?;
        serde_json::from_str(&answer.body)
            .map_err(|_| self.unusable(&format!("HTTP {}: {}", answer.status, answer.body.trim())))
    }

    fn result_of(&self, method: &str, mut answer: Value) -> Result<Value> {
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(Error::Rpc {
                method: method.into(),
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().into(),
                data: error.get("data").map(Value::to_string),
            });
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(self.unusable("neither result nor error in the answer")),
        }
    }

    fn unusable(&self, reason: &str) -> Error {
        Error::Transport { url: self.url(), reason: reason.into() }
    }
}

/// Fetches `path` from an HTTP server (metrics).
///
/// # Errors
/// [`Error::Transport`] if there is no HTTP answer.
pub fn get(address: SocketAddr, path: &str) -> Result<String> {
    let url = format!("http://{address}{path}");
    let broken = |reason: String| Error::Transport { url: url.clone(), reason };
    let mut stream = TcpStream::connect_timeout(&address, CALL_LIMIT)
        .map_err(|error| broken(error.to_string()))?;
    stream.set_read_timeout(Some(CALL_LIMIT)).map_err(|error| broken(error.to_string()))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| broken(error.to_string()))?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).map_err(|error| broken(error.to_string()))?;
    parse_http(&answer).map(|answer| answer.body).ok_or_else(|| broken("no HTTP answer".into()))
}

fn parse_http(bytes: &[u8]) -> Option<HttpAnswer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    let chunked = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("transfer-encoding")
                && value.trim().eq_ignore_ascii_case("chunked")
        })
    });
    let body = &bytes[end + 4..];
    let body = if chunked { unchunk(body)? } else { body.to_vec() };
    Some(HttpAnswer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(line + 2..)?.get(..size)?;
        body.extend_from_slice(chunk);
        rest = rest.get(line + 2 + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_chunked_answers_are_read() {
        let plain = parse_http(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").expect("HTTP");
        assert_eq!((plain.status, plain.body.as_str()), (200, "{}"));
        let chunked = b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n3\r\na\":\r\n0\r\n\r\n";
        let chunked = parse_http(chunked).expect("HTTP");
        assert_eq!((chunked.status, chunked.body.as_str()), (403, "{\"a\":"));
        assert!(parse_http(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
