//! Which HTTP requests the front lets in: those of local programs, never those
//! that a web page made a browser send.
//!
//! A page of another site can make a browser POST to a loopback port; such a
//! request carries `Origin`. A page whose name was re-bound to 127.0.0.1 is "same
//! origin" and could also read the reply; its requests carry the page's name in
//! `Host`. Core's clients send no `Origin`, and a loopback name as `Host`.

use hyper::{
    header::{HeaderMap, HOST, ORIGIN},
    http::uri::{Authority, Uri},
    Method, StatusCode,
};
use std::net::IpAddr;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only POST carries a call.
    #[error("JSON-RPC server handles only POST requests")]
    NotPost,
    /// Neither `/` nor `/wallet/…`, the two paths Core's clients use.
    #[error("no such path: JSON-RPC is served at /")]
    WrongPath,
    /// It comes from a web page.
    #[error("requests of web pages are refused")]
    FromBrowser,
    /// `Host` is missing, there twice, or names something else than this machine.
    #[error("Host must be a loopback name: localhost, 127.0.0.1 or [::1]")]
    ForeignHost,
}

impl Refusal {
    /// The HTTP status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongPath => StatusCode::NOT_FOUND,
            Self::FromBrowser | Self::ForeignHost => StatusCode::FORBIDDEN,
        }
    }
}

/// Lets a request in or says why not.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn admit(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(ORIGIN) {
        return Err(Refusal::FromBrowser);
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).ok_or(Refusal::ForeignHost)?;
    let target_is_ours = uri.authority().is_none_or(|target| is_loopback(target.as_str()));
    if hosts.next().is_some() || !is_loopback(host) || !target_is_ours {
        return Err(Refusal::ForeignHost);
    }
    if method != Method::POST {
        return Err(Refusal::NotPost);
    }
    if uri.path() != "/" && !uri.path().starts_with("/wallet/") {
        return Err(Refusal::WrongPath);
    }
    Ok(())
}

/// Whether `host[:port]` names this machine and nothing else could answer to it.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    fn headers(host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(HOST, host);
        }
        headers
    }

    fn post(host: &str) -> Result<(), Refusal> {
        admit(&Method::POST, &Uri::from_static("/"), &headers(host))
    }

    #[test]
    fn loopback_names_are_let_in() {
        for host in
            ["127.0.0.1", "127.0.0.1:9332", "localhost", "LOCALHOST:1", "[::1]:80", "127.8.9.1"]
        {
            assert_eq!(post(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn names_that_could_be_rebound_are_refused() {
        let foreign = [
            "",
            "evil.example",
            "evil.example:9332",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "127.0.0.1:9332:1",
        ];
        for host in foreign {
            assert_eq!(post(host), Err(Refusal::ForeignHost), "{host}");
        }
        assert_eq!(
            admit(&Method::POST, &Uri::from_static("/"), &HeaderMap::new()),
            Err(Refusal::ForeignHost)
        );
    }

    #[test]
    fn two_hosts_or_a_foreign_target_are_refused() {
        let mut two = headers("127.0.0.1");
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert_eq!(admit(&Method::POST, &Uri::from_static("/"), &two), Err(Refusal::ForeignHost));
        let target = Uri::from_static("http://evil.example/");
        assert_eq!(admit(&Method::POST, &target, &headers("127.0.0.1")), Err(Refusal::ForeignHost));
    }

    #[test]
    fn a_web_page_is_refused_whatever_its_origin() {
        for origin in ["null", "http://evil.example", "http://127.0.0.1:9332"] {
            let mut page = headers("127.0.0.1");
            page.insert(ORIGIN, HeaderValue::from_static(origin));
            let answer = admit(&Method::POST, &Uri::from_static("/"), &page);
            assert_eq!(answer, Err(Refusal::FromBrowser), "{origin}");
        }
    }

    #[test]
    fn only_post_to_the_paths_of_core() {
        let local = headers("127.0.0.1");
        for method in [Method::GET, Method::OPTIONS, Method::PUT] {
            assert_eq!(admit(&method, &Uri::from_static("/"), &local), Err(Refusal::NotPost));
        }
        assert_eq!(admit(&Method::POST, &Uri::from_static("/wallet/w"), &local), Ok(()));
        assert_eq!(
            admit(&Method::POST, &Uri::from_static("/rest"), &local),
            Err(Refusal::WrongPath)
        );
    }

    proptest! {
        #[test]
        fn no_host_text_panics(host in "[ -~]{0,40}") {
            let _ = post(&host);
        }

        #[test]
        fn a_dns_name_with_a_dot_is_never_let_in(name in "[a-z]{1,8}(\\.[a-z]{1,8}){1,3}") {
            prop_assert_eq!(post(&name), Err(Refusal::ForeignHost));
        }
    }
}
