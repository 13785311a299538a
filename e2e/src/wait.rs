//! Waiting by polling, with generous limits: a limit says when to give up, it
//! never asserts a speed.

use crate::{
    error::{Error, Result},
    interrupt,
};
use std::{
    fmt::Debug,
    thread::sleep,
    time::{Duration, Instant},
};

/// How long tests wait before they call something broken. A loaded machine of
/// two cores is slow; a broken network never gets there.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// What one look at a network found.
pub enum Seen<T> {
    /// It is there.
    Done(T),
    /// Not yet; this is there instead.
    NotYet(String),
}

impl<T> Seen<T> {
    /// `Done` if `done`, else what is there now.
    pub fn when(done: bool, value: T) -> Self
    where
        T: Debug,
    {
        if done {
            Self::Done(value)
        } else {
            Self::NotYet(format!("{value:?}"))
        }
    }
}

/// Looks until `probe` sees what is awaited. An error of the probe counts as
/// "not yet": a node that is starting refuses connections.
///
/// # Errors
/// [`Error::TimedOut`] with the last thing seen; [`Error::Interrupted`].
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Seen<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let last = match probe() {
            Ok(Seen::Done(value)) => return Ok(value),
            Ok(Seen::NotYet(seen)) => seen,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error @ Error::Ended { .. }) => return Err(error),
            Err(error) => error.to_string(),
        };
        interrupt::check()?;
        if start.elapsed() > limit {
            return Err(Error::TimedOut { what: what.into(), limit, last: Some(last) });
        }
        sleep(INTERVAL);
    }
}
