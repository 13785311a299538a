//! Logs as others than their owners read them.

use super::{
    missing_segment,
    segment::{self, End},
    segment_numbers, segment_path, Record, WalError,
};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// What can be read of one key's log.
pub struct ReadLog {
    /// The grandpa key, hex.
    pub key: String,
    /// Its good records, oldest first.
    pub records: Vec<Record>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// A part of a log that could not be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unread {
    /// The segment.
    pub path: PathBuf,
    /// Where the part begins.
    pub offset: u64,
    /// How long it is, bytes.
    pub bytes: u64,
    /// Why it was not read.
    pub why: Why,
}

/// Why a part of a log was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A write has not ended, or never will: of a log that is sound.
    Unfinished,
    /// It is damaged.
    Damaged,
    /// The file is not there.
    Missing,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, offset, bytes, why } = self;
        let path = path.display();
        match why {
            Why::Unfinished => {
                write!(f, "{path}: {bytes} bytes at offset {offset}, an unfinished write, not read")
            }
            Why::Damaged => {
                write!(f, "{path}: damaged at offset {offset}, {bytes} bytes from there not read")
            }
            Why::Missing => write!(f, "{path} is missing"),
        }
    }
}

/// All records of the logs under `base`, by key, for people to read. Changes
/// nothing and takes no lock, so a running node's log can be read too; of one that
/// is written to meanwhile the last records may be missing. What is damaged is left
/// out and named.
///
/// # Errors
/// [`WalError::Io`].
pub fn read_all(base: &Path) -> Result<Vec<ReadLog>, WalError> {
    let mut logs = Vec::new();
    if !base.exists() {
        return Ok(logs);
    }
    for entry in fs::read_dir(base).map_err(WalError::io(base))? {
        let folder = entry.map_err(WalError::io(base))?.path();
        let Some(key) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if folder.is_dir() {
            logs.push(read_log(key.to_owned(), &folder)?);
        }
    }
    logs.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(logs)
}

fn read_log(key: String, folder: &Path) -> Result<ReadLog, WalError> {
    let mut log = ReadLog { key, records: Vec::new(), unread: Vec::new() };
    let numbers = segment_numbers(folder)?;
    if let Some(number) = missing_segment(&numbers) {
        let path = segment_path(folder, number);
        log.unread.push(Unread { path, offset: 0, bytes: 0, why: Why::Missing });
    }
    for number in &numbers {
        let path = segment_path(folder, *number);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // The node that owns it has just removed it as too old.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(WalError::io(&path)(error)),
        };
        let contents = segment::read(&bytes);
        log.records.extend(contents.records);
        let why = match contents.end {
            End::Whole => continue,
            End::Torn if Some(number) == numbers.last() => Why::Unfinished,
            End::Torn | End::Damaged => Why::Damaged,
        };
        let (offset, bytes) = (contents.good as u64, (bytes.len() - contents.good) as u64);
        log.unread.push(Unread { path, offset, bytes, why });
    }
    Ok(log)
}
