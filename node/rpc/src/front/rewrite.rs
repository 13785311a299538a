//! Rewriting between Core's JSON-RPC 1.0 and the node's 2.0. Pure: bytes in,
//! bytes out.
//!
//! - In: `jsonrpc` may be missing or anything; `params` may be missing or null;
//!   `id` may be missing or any JSON value; batches are arrays. Going up, calls
//!   get ids of our own, so that any client id survives.
//! - Out: `{"result", "error", "id"}` with one of the first two null, HTTP 200 for
//!   a result, 404 for an unknown method, 400 for an invalid request, 500 for every
//!   other error (parse errors too), and always 200 for a batch. That is what
//!   `httprpc.cpp` of Core 0.16 to 0.21 does, and what its clients read.
//! - Whoever says `"jsonrpc": "2.0"` gets 2.0 back, with HTTP 200 (204 if there
//!   is nothing to say).
//!
//! Parameters and results pass as the text they are, so no number is rounded.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{
    error::Category,
    value::{to_raw_value, RawValue},
};

/// Most calls of one batch.
pub const MAX_BATCH: usize = 1_000;

const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const METHOD_NOT_FOUND: i64 = -32_601;
const INTERNAL_ERROR: i64 = -32_603;
/// `RPC_IN_WARMUP` of Core: clients called with `-rpcwait` try again.
const IN_WARMUP: i64 = -28;

/// What goes back to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Body; empty with status 204.
    pub body: Vec<u8>,
}

/// Why the node's real RPC port gave no usable reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// Nothing listens there (yet).
    #[error("the node's RPC port does not answer; is the node still starting?")]
    Unreachable,
    /// No complete reply in time.
    #[error("the node did not answer in time")]
    TimedOut,
    /// The reply is larger than the front passes on.
    #[error("the node's reply is too large; ask for less at once")]
    TooLarge,
    /// The server there refused the request as such.
    #[error("the node's RPC server refused the request (HTTP {0})")]
    Refused(u16),
    /// The connection broke, or the reply is not JSON-RPC 2.0.
    #[error("the node's RPC port gave an unreadable reply")]
    Unreadable,
}

impl UpstreamError {
    fn code(&self) -> i64 {
        match self {
            Self::Unreachable => IN_WARMUP,
            _ => INTERNAL_ERROR,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// 1.0 as Core speaks it.
    Core,
    /// 2.0.
    Two,
}

/// A failed call, as the client will see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CallError {
    code: i64,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

impl CallError {
    fn new(code: i64, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), data: None }
    }

    /// Core's clients print code and message only: a textual `data`, which is
    /// where the server explains itself, joins the message.
    fn for_core(mut self) -> Self {
        let detail =
            self.data.as_ref().and_then(|data| serde_json::from_str::<String>(data.get()).ok());
        if let Some(detail) = detail.filter(|detail| !self.message.contains(detail.as_str())) {
            self.message = format!("{}: {detail}", self.message);
        }
        self
    }

    fn status(&self) -> u16 {
        match self.code {
            INVALID_REQUEST => 400,
            METHOD_NOT_FOUND => 404,
            _ => 500,
        }
    }
}

/// One call of the client.
#[derive(Debug)]
struct Call {
    /// What the client calls it by; `None` in 2.0 means that no answer is wanted.
    id: Option<Box<RawValue>>,
    dialect: Dialect,
    /// What to send up, or why there is nothing to send.
    order: Result<Order, CallError>,
}

#[derive(Debug)]
struct Order {
    method: String,
    params: Option<Box<RawValue>>,
}

/// A client's request, read.
#[derive(Debug)]
pub struct Request {
    calls: Vec<Call>,
    batch: bool,
}

/// The members of a call as they stand in the text. A member that is `null` is
/// there; only one that is missing is `None`.
#[derive(Default, Deserialize)]
struct Members<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Call {
    fn read(text: &str) -> Self {
        let refused = |message: &str| Self {
            id: None,
            dialect: Dialect::Core,
            order: Err(CallError::new(INVALID_REQUEST, message)),
        };
        // serde would take an array for a struct, too.
        if !text.starts_with('{') {
            return refused("Invalid Request object");
        }
        let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
            return refused("Invalid Request object");
        };
        let is_two = members.jsonrpc.is_some_and(|version| version.get() == "\"2.0\"");
        Self {
            id: members.id.map(ToOwned::to_owned),
            dialect: if is_two { Dialect::Two } else { Dialect::Core },
            order: Order::read(&members),
        }
    }

    fn wants_answer(&self) -> bool {
        // A call that could not be read is answered, as 2.0 demands.
        self.dialect == Dialect::Core || self.id.is_some() || self.order.is_err()
    }
}

impl Order {
    fn read(members: &Members<'_>) -> Result<Self, CallError> {
        let invalid = |message| CallError::new(INVALID_REQUEST, message);
        let method = members.method.ok_or_else(|| invalid("Missing method"))?;
        let method =
            serde_json::from_str(method.get()).map_err(|_| invalid("Method must be a string"))?;
        let params = match members.params {
            Some(params) if params.get().starts_with(['[', '{']) => Some(params.to_owned()),
            Some(params) if params.get() != "null" => {
                return Err(invalid("Params must be an array or object"))
            }
            _ => None,
        };
        Ok(Self { method, params })
    }
}

impl Request {
    /// Reads a request body.
    ///
    /// # Errors
    /// The reply to a body that is not JSON, not a call or batch of calls, or a
    /// batch of none or more than [`MAX_BATCH`].
    pub fn read(body: &[u8]) -> Result<Self, Reply> {
        let refuse = |code, message: &str| answer_one(None, &CallError::new(code, message));
        let text: &RawValue =
            serde_json::from_slice(body).map_err(|_| refuse(PARSE_ERROR, "Parse error"))?;
        let text = text.get();
        if text.starts_with('{') {
            return Ok(Self { calls: vec![Call::read(text)], batch: false });
        }
        if !text.starts_with('[') {
            return Err(refuse(PARSE_ERROR, "Top-level object parse error"));
        }
        let calls: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
            // The text was valid JSON a moment ago, so this is our own limit.
            debug_assert_ne!(error.classify(), Category::Io);
            refuse(PARSE_ERROR, "Parse error")
        })?;
        match calls.len() {
            0 => Ok(Self { calls: Vec::new(), batch: true }),
            1..=MAX_BATCH => {
                let calls = calls.iter().map(|call| Call::read(call.get())).collect();
                Ok(Self { calls, batch: true })
            }
            _ => Err(refuse(INVALID_REQUEST, "too many calls in one batch")),
        }
    }

    /// The JSON-RPC 2.0 body to send to the node; `None` when no call is left to
    /// send. Each call's id is its position.
    pub fn upstream_body(&self) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        struct Upward<'a> {
            jsonrpc: &'static str,
            id: usize,
            method: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            params: Option<&'a RawValue>,
        }
        let upward: Vec<_> = self
            .calls
            .iter()
            .enumerate()
            .filter_map(|(id, call)| Some((id, call.order.as_ref().ok()?)))
            .map(|(id, order)| Upward {
                jsonrpc: "2.0",
                id,
                method: &order.method,
                params: order.params.as_deref(),
            })
            .collect();
        match upward.as_slice() {
            [] => None,
            [one] => serde_json::to_vec(one).ok(),
            many => serde_json::to_vec(many).ok(),
        }
    }

    /// The reply to the client, from what the node answered to
    /// [`Self::upstream_body`] (an empty body where there was nothing to send).
    pub fn reply(self, upstream: Result<&[u8], UpstreamError>) -> Reply {
        let mut outcomes = match upstream {
            Ok(body) => Outcomes::read(body, self.calls.len()),
            Err(error) => Outcomes::all_failed(&error),
        };
        let mut answers: Vec<(u16, Vec<u8>)> = Vec::with_capacity(self.calls.len());
        for (position, call) in self.calls.into_iter().enumerate() {
            let wants_answer = call.wants_answer();
            let outcome = match call.order {
                Ok(_) => outcomes.take(position),
                Err(error) => Err(error),
            };
            if wants_answer {
                answers.push(answer(call.id.as_deref(), call.dialect, outcome));
            }
        }
        if self.batch {
            return batch_reply(&answers);
        }
        match answers.pop() {
            Some((status, body)) => Reply { status, body: line(body) },
            None => Reply { status: 204, body: Vec::new() },
        }
    }
}

type Outcome = Result<Box<RawValue>, CallError>;

/// What the node said to each call, by position.
struct Outcomes {
    by_position: Vec<Option<Outcome>>,
    /// For calls without an answer of their own.
    fallback: CallError,
}

#[derive(Deserialize)]
struct Downward {
    // Our own ids are numbers; the server answers null to what it could not read.
    #[serde(default)]
    id: Option<usize>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<CallError>,
}

impl Outcomes {
    fn all_failed(error: &UpstreamError) -> Self {
        Self { by_position: Vec::new(), fallback: CallError::new(error.code(), error) }
    }

    fn read(body: &[u8], calls: usize) -> Self {
        let mut outcomes = Self::all_failed(&UpstreamError::Unreadable);
        outcomes.by_position.resize_with(calls, || None);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let answers: Vec<Downward> = match first {
            Some(b'[') => serde_json::from_slice(body).unwrap_or_default(),
            _ => serde_json::from_slice(body).into_iter().collect(),
        };
        for answer in answers {
            // A result of null reads as a missing one.
            let outcome = match (answer.error, answer.result) {
                (Some(error), _) => Err(error),
                (None, Some(result)) => Ok(result),
                (None, None) => Ok(null()),
            };
            match (answer.id.and_then(|id| outcomes.by_position.get_mut(id)), outcome) {
                (Some(place), outcome) => *place = Some(outcome),
                (None, Err(error)) => outcomes.fallback = error,
                (None, Ok(_)) => {}
            }
        }
        outcomes
    }

    fn take(&mut self, position: usize) -> Outcome {
        let own = self.by_position.get_mut(position).and_then(Option::take);
        own.unwrap_or_else(|| Err(self.fallback.clone()))
    }
}

fn null() -> Box<RawValue> {
    to_raw_value(&()).expect("unit is written as null and writing to memory cannot fail; qed")
}

/// One answer: its HTTP status if it stands alone, and its text.
fn answer(id: Option<&RawValue>, dialect: Dialect, outcome: Outcome) -> (u16, Vec<u8>) {
    #[derive(Serialize)]
    struct InCore<'a> {
        result: Option<&'a RawValue>,
        error: Option<&'a CallError>,
        id: Option<&'a RawValue>,
    }
    #[derive(Serialize)]
    struct InTwo<'a> {
        jsonrpc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a CallError>,
        id: Option<&'a RawValue>,
    }
    let (result, error) = match (outcome, dialect) {
        (Ok(result), _) => (Some(result), None),
        (Err(error), Dialect::Core) => (None, Some(error.for_core())),
        (Err(error), Dialect::Two) => (None, Some(error)),
    };
    let (result, error) = (result.as_deref(), error.as_ref());
    let (status, body) = match dialect {
        Dialect::Core => (
            error.map_or(200, CallError::status),
            serde_json::to_vec(&InCore { result, error, id }),
        ),
        Dialect::Two => (200, serde_json::to_vec(&InTwo { jsonrpc: "2.0", result, error, id })),
    };
    // Strings, numbers and raw JSON always serialise; an empty body would say so.
    (status, body.unwrap_or_default())
}

fn answer_one(id: Option<&RawValue>, error: &CallError) -> Reply {
    let (status, body) = answer(id, Dialect::Core, Err(error.clone()));
    Reply { status, body: line(body) }
}

fn batch_reply(answers: &[(u16, Vec<u8>)]) -> Reply {
    let length = answers.iter().map(|(_, answer)| answer.len() + 1).sum::<usize>() + 3;
    let mut body = Vec::with_capacity(length);
    body.push(b'[');
    for (position, (_, answer)) in answers.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend(answer);
    }
    body.push(b']');
    Reply { status: 200, body: line(body) }
}

/// Core ends each reply with a newline.
fn line(mut body: Vec<u8>) -> Vec<u8> {
    body.push(b'\n');
    body
}

/// A reply of the front itself, outside any call, in Core's shape.
pub fn refusal(status: u16, message: &str) -> Reply {
    let reply = answer_one(None, &CallError::new(INVALID_REQUEST, message));
    Reply { status, ..reply }
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
