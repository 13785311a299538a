//! The write-ahead log: what this node has signed and decided, on disk before
//! anybody hears of it.
//!
//! Guarantees:
//! - After [`Wal::sync`] returned, everything appended before survives a crash
//!   and a power cut.
//! - A log belongs to one chain and one key: another genesis or key is refused.
//! - One key is used by one process of a machine at a time ([`lock`]).
//! - A torn end (a crash during a write) is cut off; damage anywhere else is an
//!   error, never silently skipped.
//! - What one [`Wal::append`] wrote is there as a whole, or not at all.
//!
//! On disk a log is a folder of segments `000001.wal`, …; a segment is a
//! sequence of frames `length u32 LE ‖ CRC32C u32 LE ‖ SCALE(record) …`, the
//! first of which is a [`Record::Header`]. Old segments go when
//! [`KEPT_SEGMENTS`] newer ones are full: by then the database has synced what
//! they hold (parity-db syncs after 64 MiB of its own log, and it writes more per
//! block than we do).

mod lock;
mod memory;
mod record;
mod segment;
mod show;

pub use memory::Memory;
pub use record::Record;

use cascoin_l2_primitives::chain::BlockHash;
use lock::KeyLock;
use segment::Segment;
use sp_core::ed25519;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Size at which a segment is full, bytes.
const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Full segments that are kept besides the current one.
const KEPT_SEGMENTS: usize = 4;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The disk failed or is full.
    #[error("write-ahead log {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log belongs to another chain or key.
    #[error(
        "write-ahead log {path} belongs to another {what}: restore the right base path, or move \
         the log away if this key has never signed for this chain"
    )]
    Foreign {
        /// The segment.
        path: PathBuf,
        /// `chain` or `key`.
        what: &'static str,
    },
    /// A record other than the last one of the last segment is damaged.
    #[error(
        "write-ahead log {path} is damaged at byte {offset}: this node cannot know what it has \
         signed; restore the file from a backup of this machine, or rotate the session keys"
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
    },
    /// There is no log of a key that may have signed before.
    #[error(
        "no write-ahead log of sequencer key {key} ({path}), though the chain is not new: without \
         it this node cannot know what the key has signed. Restore the log from this key's machine; \
         if the key has never signed for this chain, start once with --accept-missing-log"
    )]
    Missing {
        /// The grandpa key, hex.
        key: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// Another process of this machine uses the key.
    #[error(
        "sequencer key {key} is in use by another process on this machine (lock file {path}): two \
         nodes with one key would sign twice"
    )]
    InUse {
        /// The grandpa key, hex.
        key: String,
        /// The lock file.
        path: PathBuf,
    },
}

impl WalError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// An open log.
pub struct Wal {
    folder: PathBuf,
    header: Record,
    current: Segment,
    current_number: u64,
    _lock: KeyLock,
}

impl Wal {
    /// Opens the log of `key` for the chain `genesis` under `base` and reads all
    /// of it. `new_key`: whether the key may never have signed; only then a log
    /// that is missing is made.
    ///
    /// # Errors
    /// The lock file can be neither opened nor made.
    #[error(
        "lock file {path} cannot be used: {source}. If another user of this machine made it, root \
         perhaps, remove it while no node runs with this key"
    )]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// [`WalError`]; on an error the key must not sign.
    pub fn open(
        base: &Path,
        genesis: BlockHash,
        key: ed25519::Public,
        new_key: bool,
    ) -> Result<(Self, Memory), WalError> {
        let lock = KeyLock::take(genesis, key)?;
        let folder = base.join(hex::encode(key.0));
        if !new_key && !segment_path_exists(&folder) {
            return Err(WalError::Missing { key: hex::encode(key.0), path: folder });
        }
        fs::create_dir_all(&folder).map_err(WalError::io(&folder))?;
        let header = Record::Header { genesis, key };
        let mut memory = Memory::default();
        let numbers = segment_numbers(&folder)?;
        let current_number = numbers.last().copied().unwrap_or(1);
        let mut current = None;
        for number in &numbers {
            let path = segment_path(&folder, *number);
            let last = *number == current_number;
            let (segment, records) = Segment::open(&path, last)?;
            check_header(&path, &header, records.first(), last)?;
            records.into_iter().for_each(|record| memory.learn(record));
            if last {
                current = Some(segment);
            }
        }
        let mut current = match current {
            Some(segment) => segment,
            None => Segment::open(&segment_path(&folder, current_number), true)?.0,
        };
        if current.is_empty() {
            current.append(std::slice::from_ref(&header))?;
            current.sync()?;
            sync_folder(&folder)?;
        }
        // After a sync that failed the system may show bytes that are not on the
        // disk, so what binds this node now is written once more.
        let binding = memory.highest().map(|height| memory.records_at(height));
        if let Some(records) = binding.filter(|records| !records.is_empty()) {
            current.append(&records)?;
            current.sync()?;
        }
        Ok((Self { folder, header, current, current_number, _lock: lock }, memory))
    }

    /// Appends records, all or none; they are not safe before [`Wal::sync`].
    ///
    /// # Errors
    /// [`WalError::Io`]; then nothing that depends on the records may leave.
    pub fn append(&mut self, records: &[Record]) -> Result<(), WalError> {
        self.current.append(records)
    }

    /// Makes everything appended durable, and starts a new segment when the
    /// current one is full.
    ///
    /// # Errors
    /// [`WalError::Io`]; then nothing appended since the last sync may leave.
    pub fn sync(&mut self) -> Result<(), WalError> {
        self.current.sync()?;
        if self.current.len() >= SEGMENT_BYTES {
            self.rotate()?;
        }
        Ok(())
    }

    /// Whether no write has failed since the log was opened.
    pub fn is_sound(&self) -> bool {
        !self.current.is_broken()
    }

    fn rotate(&mut self) -> Result<(), WalError> {
        let path = segment_path(&self.folder, self.current_number + 1);
        let (mut next, _) = Segment::open(&path, true)?;
        next.append(std::slice::from_ref(&self.header))?;
        next.sync()?;
        // Before anything is written to it: a file without a name is lost.
        sync_folder(&self.folder)?;
        self.current = next;
        self.current_number += 1;
        let numbers = segment_numbers(&self.folder)?;
        for old in numbers.iter().rev().skip(KEPT_SEGMENTS + 1) {
            let path = segment_path(&self.folder, *old);
            fs::remove_file(&path).map_err(WalError::io(&path))?;
        }
        Ok(())
    }
}

fn check_header(
    path: &Path,
    expected: &Record,
    found: Option<&Record>,
    last: bool,
) -> Result<(), WalError> {
    let foreign = |what| WalError::Foreign { path: path.to_owned(), what };
    match (expected, found) {
        (expected, Some(found)) if expected == found => Ok(()),
        (Record::Header { genesis, .. }, Some(Record::Header { genesis: other, .. }))
            if genesis != other =>
        {
            Err(foreign("chain"))
        }
        (_, Some(Record::Header { .. })) => Err(foreign("key")),
        // A crash right after the file was made.
        (_, None) if last => Ok(()),
        _ => Err(WalError::Damaged { path: path.to_owned(), offset: 0 }),
    }
}

/// All records of the logs under `base`, by key, oldest first, for people to read.
/// Changes nothing and takes no lock, so a running node's log can be read too; of
/// one that is written to meanwhile the last records may be missing.
///
/// # Errors
/// [`WalError::Io`]; [`WalError::Damaged`] where an older segment ends in the
/// middle of a record.
pub fn read_all(base: &Path) -> Result<Vec<(String, Vec<Record>)>, WalError> {
    let mut logs = Vec::new();
    if !base.exists() {
        return Ok(logs);
    }
    for entry in fs::read_dir(base).map_err(WalError::io(base))? {
        let folder = entry.map_err(WalError::io(base))?.path();
        let Some(key) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if !folder.is_dir() {
            continue;
        }
        let mut records = Vec::new();
        let numbers = segment_numbers(&folder)?;
        for number in &numbers {
            let path = segment_path(&folder, *number);
            let bytes = fs::read(&path).map_err(WalError::io(&path))?;
            let (found, good) = segment::read(&bytes);
            records.extend(found);
            if good < bytes.len() && Some(number) != numbers.last() {
                return Err(WalError::Damaged { path, offset: good as u64 });
            }
        }
        logs.push((key.to_owned(), records));
    }
    logs.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(logs)
}

fn segment_path_exists(folder: &Path) -> bool {
    segment_numbers(folder).is_ok_and(|numbers| !numbers.is_empty())
}

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.wal"))
}

fn segment_numbers(folder: &Path) -> Result<Vec<u64>, WalError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(WalError::io(folder))? {
        let name = entry.map_err(WalError::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn sync_folder(folder: &Path) -> Result<(), WalError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(WalError::io(folder))
}

#[cfg(test)]
mod tests;
