//! What the crate logs in these tests. Tests run at the same time in one process,
//! so each looks only for lines with the address of its own node.

use log::{LevelFilter, Log, Metadata, Record};
use std::sync::{Mutex, Once, PoisonError};

struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target() == "l2::l1"
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

/// From now on lines are kept.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LINES).expect("no other logger");
        log::set_max_level(LevelFilter::Info);
    });
}

/// The lines so far that contain all of `parts`.
pub fn lines_with(parts: &[&str]) -> Vec<String> {
    let lines = LINES.0.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).cloned().collect()
}
