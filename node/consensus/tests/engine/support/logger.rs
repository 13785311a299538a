//! Remembers what the engines warn of, and shows what they log if `ENGINE_LOG` is
//! set to a level (`debug`). Best with one test: the engines' lines do not say whose
//! they are.

use parking_lot::Mutex;
use std::sync::OnceLock;

/// Lines remembered, of all engines of the process.
const REMEMBERED: usize = 10_000;

struct Logger {
    shown: Option<log::LevelFilter>,
    warnings: Mutex<Vec<(String, String)>>,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.target().starts_with("l2")
    }

    fn log(&self, record: &log::Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = record.args().to_string();
        if self.shown.is_some_and(|level| record.level() <= level) {
            eprintln!("{} {}: {line}", record.level(), record.target());
        }
        let mut warnings = self.warnings.lock();
        if record.level() <= log::Level::Warn && warnings.len() < REMEMBERED {
            warnings.push((record.target().to_owned(), line));
        }
    }

    fn flush(&self) {}
}

pub fn install() {
    let logger = LOGGER.get_or_init(|| Logger {
        shown: std::env::var("ENGINE_LOG").ok().and_then(|level| level.parse().ok()),
        warnings: Mutex::default(),
    });
    // The second test of a process finds it installed.
    if log::set_logger(logger).is_ok() {
        log::set_max_level(
            logger.shown.unwrap_or(log::LevelFilter::Warn).max(log::LevelFilter::Warn),
        );
    }
}

/// Whether any engine warned of all these words in one line, under `target`.
pub fn said(target: &str, words: &[&str]) -> bool {
    LOGGER.get().is_some_and(|logger| {
        let warnings = logger.warnings.lock();
        let mut lines = warnings.iter().filter(|(from, _)| from == target).map(|(_, line)| line);
        lines.any(|line| words.iter().all(|word| line.contains(word)))
    })
}
