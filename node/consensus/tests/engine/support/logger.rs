//! Shows what the engines log, if `ENGINE_LOG` is set to a level (`debug`). Best
//! with one test: the engines' lines do not say whose they are.

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.target().starts_with("l2")
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

pub fn install() {
    let level = std::env::var("ENGINE_LOG").ok().and_then(|level| level.parse().ok());
    if let Some(level) = level {
        // The second test of a process finds it installed.
        if log::set_logger(&Stderr).is_ok() {
            log::set_max_level(level);
        }
    }
}
