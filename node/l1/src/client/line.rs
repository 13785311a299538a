//! One call to one node: over which connection, with which credentials, and what
//! its reply says.
//!
//! Every call goes over a connection on which the node proved before that it is on
//! our chain; see the module above.

use super::{
    code,
    http::{Connection, HttpError, Reply, Request},
    BlockchainInfo, Call, Fault, L1Client, L1Error, Node,
};
use cascoin_l2_primitives::l1::L1Hash;
use serde::de::DeserializeOwned;
use serde_json::{value::RawValue, Value};
use std::{sync::atomic::Ordering, time::Instant};

/// A connection in use.
struct Line<'a> {
    node: &'a Node,
    connection: Connection,
    authorization: Option<&'a str>,
    deadline: Instant,
}

impl L1Client {
    /// Asks one node; credentials that it refuses are read again and tried once.
    pub(super) fn ask<T: DeserializeOwned>(&self, node: &Node, call: &Call) -> Result<T, Fault> {
        let authorization = node.authorization()?;
        let answered = self.ask_as(authorization.as_deref(), node, call);
        if let Err(Fault { error: L1Error::WrongCredentials { .. }, .. }) = &answered {
            if let Some(fresh) = node.renew_authorization(&authorization)? {
                return self.ask_as(Some(&fresh), node, call);
            }
        }
        answered
    }

    fn ask_as<T: DeserializeOwned>(
        &self,
        authorization: Option<&str>,
        node: &Node,
        call: &Call,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + self.inner.config.timeout;
        // A node closes connections that are idle for long, and a call sent into a
        // closed one is lost: only a call that may be repeated takes the kept one.
        let kept = if call.repeatable { node.kept.lock().take() } else { None };
        if let Some(connection) = kept {
            let mut line = Line { node, connection, authorization, deadline };
            match self.exchange(&mut line, call) {
                Err(fault) if fault.may_have_acted => {}
                answered => {
                    line.keep(&answered);
                    return answered;
                }
            }
        }
        let connection = node.endpoint.connect(deadline).map_err(|error| node.fault(error))?;
        let mut line = Line { node, connection, authorization, deadline };
        // Whatever goes wrong before the call is sent, the node has not acted on it.
        self.verify(&mut line).map_err(|fault| Fault { may_have_acted: false, ..fault })?;
        let answered = self.exchange(&mut line, call);
        line.keep(&answered);
        answered
    }

    /// Makes the node at the other end prove that it is on our chain.
    fn verify(&self, line: &mut Line) -> Result<(), Fault> {
        let ask = |method, params| Call { method, params, wallet: false, repeatable: true };
        let info: BlockchainInfo = self.exchange(line, &ask("getblockchaininfo", vec![]))?;
        let genesis: L1Hash = self.exchange(line, &ask("getblockhash", vec![0.into()]))?;
        let params = self.params();
        if info.chain == params.chain && genesis == params.genesis {
            return Ok(());
        }
        Err(L1Error::WrongChain {
            url: line.node.endpoint.to_string(),
            expected: format!("{} with genesis {}", params.chain, params.genesis),
            found: format!("{} with genesis {genesis}", info.chain),
        }
        .into())
    }

    fn exchange<T: DeserializeOwned>(&self, line: &mut Line, call: &Call) -> Result<T, Fault> {
        let id = Value::from(self.inner.next_id.fetch_add(1, Ordering::Relaxed));
        let params =
            jsonrpc::try_arg(&call.params).map_err(|error| L1Error::Config(error.to_string()))?;
        let request = jsonrpc::Request {
            method: call.method,
            params: Some(&params),
            id: id.clone(),
            // What every Core speaks; 28 and later answer in 2.0 form only if asked.
            jsonrpc: Some("1.0"),
        };
        let body =
            serde_json::to_vec(&request).map_err(|error| L1Error::Config(error.to_string()))?;
        let path = if call.wallet { self.inner.wallet_path.as_str() } else { "/" };
        let request = Request { path, authorization: line.authorization, body: &body };
        let answered = line.connection.exchange(&request, line.deadline);
        let Reply(body) = answered.map_err(|error| line.node.fault(error))?;
        Ok(read_reply(call.method, &id, &body)?)
    }
}

impl Line<'_> {
    /// Keeps the connection for the next call, unless it may carry something else
    /// than the reply to that.
    fn keep<T>(self, answered: &Result<T, Fault>) {
        let confused = matches!(answered, Err(Fault { error: L1Error::BadReply { .. }, .. }));
        if self.connection.is_reusable() && !confused {
            *self.node.kept.lock() = Some(self.connection);
        }
    }
}

impl Node {
    fn authorization(&self) -> Result<Option<String>, L1Error> {
        let mut cached = self.authorization.lock();
        if cached.is_none() {
            *cached = self.credentials.header()?;
        }
        Ok(cached.clone())
    }

    /// Reads the credentials again; `None` if they are the refused ones.
    fn renew_authorization(&self, refused: &Option<String>) -> Result<Option<String>, L1Error> {
        if !self.credentials.may_change() {
            return Ok(None);
        }
        let fresh = self.credentials.header()?;
        *self.authorization.lock() = fresh.clone();
        Ok(if fresh == *refused { None } else { fresh })
    }

    fn fault(&self, error: HttpError) -> Fault {
        let url = self.endpoint.to_string();
        let may_have_acted = matches!(error, HttpError::Lost(_));
        let reason = error.to_string();
        let error = match error {
            HttpError::Unauthorized(_) => L1Error::WrongCredentials { url, reason },
            HttpError::NotSent(_) | HttpError::Lost(_) | HttpError::Status(_) => {
                L1Error::Unreachable { url, reason }
            }
        };
        Fault { error, may_have_acted }
    }
}

fn read_reply<T: DeserializeOwned>(method: &str, id: &Value, body: &[u8]) -> Result<T, L1Error> {
    let bad = |reason: &dyn ToString| L1Error::bad_reply(method, reason.to_string());
    let reply: jsonrpc::Response = serde_json::from_slice(body).map_err(|error| bad(&error))?;
    if let Some(error) = reply.error {
        // A node's words end up in logs and RPC answers: keep them short.
        let message: String = error.message.chars().take(500).collect();
        return Err(match error.code {
            code::IN_WARMUP => L1Error::WarmingUp { message },
            code => L1Error::Rpc { method: method.into(), code, message },
        });
    }
    if reply.id != *id {
        return Err(bad(&"the reply is to another request"));
    }
    let result = reply.result.as_deref().map_or("null", RawValue::get);
    serde_json::from_str(result).map_err(|error| bad(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply<T: DeserializeOwned>(body: &str) -> Result<T, L1Error> {
        read_reply("m", &Value::from(7), body.as_bytes())
    }

    #[test]
    fn replies_need_no_version_member() {
        assert_eq!(reply::<u32>(r#"{"result":5,"error":null,"id":7}"#), Ok(5));
        assert_eq!(reply::<u32>(r#"{"jsonrpc":"2.0","result":5,"id":7}"#), Ok(5));
        assert_eq!(reply::<()>(r#"{"result":null,"error":null,"id":7}"#), Ok(()));
    }

    #[test]
    fn bad_replies_and_refusals_are_told_apart() {
        let is_bad = |body| matches!(reply::<u32>(body), Err(L1Error::BadReply { .. }));
        assert!(is_bad(r#"{"result":5,"error":null,"id":8}"#), "another request's reply");
        assert!(is_bad(r#"{"result":"five","error":null,"id":7}"#));
        assert!(is_bad("[]") && is_bad("") && is_bad("\u{0}"));
        let refused =
            r#"{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":7}"#;
        assert!(matches!(reply::<u32>(refused), Err(L1Error::Rpc { code: -8, .. })));
        let warming = r#"{"result":null,"error":{"code":-28,"message":"Loading…"},"id":null}"#;
        assert!(matches!(reply::<u32>(warming), Err(L1Error::WarmingUp { .. })));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_replies_never_panic(body: Vec<u8>, text in "\\PC{0,80}") {
            let id = Value::from(7);
            let _ = read_reply::<BlockchainInfo>("m", &id, &body);
            let _ = read_reply::<u32>("m", &id, text.as_bytes());
            let wrapped = format!(r#"{{"result":{text},"error":null,"id":7}}"#);
            let _ = read_reply::<L1Hash>("m", &id, wrapped.as_bytes());
        }
    }
}
