//! Ctrl-C as an ordinary error, so that what was started is stopped on the way
//! out instead of being left behind.

use crate::error::{Error, IoContext, Result};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C is noticed by [`check`] instead of ending the process.
///
/// # Errors
/// [`Error::Io`] if signals cannot be watched.
pub fn catch() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .attempt(|| "watching for Ctrl-C".into())?;
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            INTERRUPTED.store(true, Ordering::SeqCst);
        }
    });
    Ok(())
}

/// Whether the user wants out.
///
/// # Errors
/// [`Error::Interrupted`] if so.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    Ok(())
}

/// Sleeps this long.
///
/// # Errors
/// [`Error::Interrupted`] at once, if the user wants out.
pub fn pause(period: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < period {
        check()?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Sleeps until Ctrl-C.
pub fn wait() {
    while check().is_ok() {
        thread::sleep(Duration::from_millis(100));
    }
}
