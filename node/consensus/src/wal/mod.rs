//! The write-ahead log: what this node has signed and decided, on disk before
//! anybody hears of it.
//!
//! Guarantees:
//! - After [`Wal::sync`] returned, everything appended before survives a crash
//!   and a power cut.
//! - A log belongs to one chain and one key: another genesis or key is refused.
//! - One key is used by one process of a machine at a time ([`lock`]).
//! - A torn end (a crash during a write) is cut off; damage anywhere else, and a
//!   segment that is missing or without its beginning, is an error, never silently
//!   skipped.
//! - Only a key that has never signed gets a new log.
//! - What one [`Wal::append`] wrote is there as a whole, or not at all.
//!
//! On disk a log is a folder of segments `000001.wal`, …, each a sequence of frames
//! with records ([`segment`]), the first of which is a [`Record::Header`]. Old
//! segments go when [`KEPT_SEGMENTS`] newer ones are full: by then the database has
//! synced what they hold (parity-db syncs after 64 MiB of its own log, and it writes
//! more per block than we do).

mod lock;
mod memory;
mod read;
mod record;
mod segment;
mod show;

pub use memory::Memory;
pub use read::{read_all, ReadLog, Unread, Why};
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
    /// Not the newest segment is missing.
    #[error(
        "{path} of the write-ahead log is missing: this node cannot know what it has signed; \
         restore the file from a backup of this machine, or rotate the session keys"
    )]
    Gap {
        /// The segment.
        path: PathBuf,
    },
    /// Another version of the node wrote the log.
    #[error(
        "write-ahead log {path} has format {version}, which this version of the node does not \
         read: start the one that wrote it"
    )]
    Version {
        /// The segment.
        path: PathBuf,
        /// The format.
        version: u8,
    },
    /// There is no log of a key that may have signed before.
    #[error(
        "no write-ahead log of sequencer key {key} ({path}), and the key may have signed: without \
         it this node cannot know what. Restore the log from this key's machine; if the key has \
         never signed for this chain, start once with --accept-missing-log"
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
    /// of it. `new_key`: whether the key has never signed; only then a log that is
    /// missing is made.
    ///
    /// # Errors
    /// [`WalError`]; on an error the key must not sign.
    pub fn open(
        base: &Path,
        genesis: BlockHash,
        key: ed25519::Public,
        new_key: bool,
    ) -> Result<(Self, Memory), WalError> {
        let lock = KeyLock::take(genesis, key)?;
        let folder = base.join(hex::encode(key.0));
        let header = Record::Header { genesis, key };
        let numbers = segment_numbers(&folder)?;
        let last = numbers.last().copied().filter(|_| !is_blank(&folder, &numbers));
        let Some(current_number) = last else {
            if !new_key {
                return Err(WalError::Missing { key: hex::encode(key.0), path: folder });
            }
            make_folder(&folder)?;
            let current = Segment::create(&segment_path(&folder, 1), &header)?;
            let wal = Self { folder, header, current, current_number: 1, _lock: lock };
            return Ok((wal, Memory::default()));
        };
        if let Some(number) = missing_segment(&numbers) {
            return Err(WalError::Gap { path: segment_path(&folder, number) });
        }
        let mut memory = Memory::default();
        let mut read = |number: u64, last: bool| -> Result<Segment, WalError> {
            let path = segment_path(&folder, number);
            let (segment, records) = Segment::open(&path, last)?;
            check_header(&path, &header, records.first())?;
            records.into_iter().for_each(|record| memory.learn(record));
            Ok(segment)
        };
        for number in numbers.iter().filter(|number| **number != current_number) {
            read(*number, false)?;
        }
        let mut current = read(current_number, true)?;
        // After a sync that failed the system may show bytes that are not on the
        // disk, so what binds this node now is written once more.
        let binding = memory.highest().map(|last| memory.records_at(last.height));
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
        self.current = Segment::create(&path, &self.header)?;
        self.current_number += 1;
        let numbers = segment_numbers(&self.folder)?;
        for old in numbers.iter().rev().skip(KEPT_SEGMENTS + 1) {
            let path = segment_path(&self.folder, *old);
            fs::remove_file(&path).map_err(WalError::io(&path))?;
        }
        Ok(())
    }
}

fn check_header(path: &Path, expected: &Record, found: Option<&Record>) -> Result<(), WalError> {
    let foreign = |what| WalError::Foreign { path: path.to_owned(), what };
    match (expected, found) {
        (expected, Some(found)) if expected == found => Ok(()),
        (Record::Header { genesis, .. }, Some(Record::Header { genesis: other, .. }))
            if genesis != other =>
        {
            Err(foreign("chain"))
        }
        (_, Some(Record::Header { .. })) => Err(foreign("key")),
        _ => Err(WalError::Damaged { path: path.to_owned(), offset: 0 }),
    }
}

/// Whether a folder holds no log: no segment, or a single one without a byte, which
/// says no more. No crash of this node leaves such a file ([`Segment::create`]), so
/// it is taken for a log that was lost, unless the key is known to be new.
fn is_blank(folder: &Path, numbers: &[u64]) -> bool {
    let is_empty = |number| {
        fs::metadata(segment_path(folder, number))
            .is_ok_and(|file| file.is_file() && file.len() == 0)
    };
    numbers.is_empty() || (numbers == [1] && is_empty(1))
}

/// The first of the segments that a log always keeps and this one does not have.
fn missing_segment(numbers: &[u64]) -> Option<u64> {
    let last = *numbers.last()?;
    let oldest = last.saturating_sub(KEPT_SEGMENTS as u64).max(1);
    (oldest..last).find(|number| numbers.binary_search(number).is_err())
}

/// Makes the folder of a log, durably: a log whose folder loses its name in a power
/// cut is lost with all that was synced to it.
fn make_folder(folder: &Path) -> Result<(), WalError> {
    let missing = folder.ancestors().take_while(|folder| {
        // Of a relative path the last one is empty: the folder we are in.
        !folder.as_os_str().is_empty() && !folder.exists()
    });
    let made: Vec<_> = missing.collect();
    fs::create_dir_all(folder).map_err(WalError::io(folder))?;
    // Its own name always: a crash may have come between the two.
    let mut parents = [folder].into_iter().chain(made).filter_map(Path::parent);
    parents.try_for_each(sync_folder)
}

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.wal"))
}

fn segment_numbers(folder: &Path) -> Result<Vec<u64>, WalError> {
    let mut numbers = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        Err(error) => return Err(WalError::io(folder)(error)),
    };
    for entry in entries {
        let name = entry.map_err(WalError::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn sync_folder(folder: &Path) -> Result<(), WalError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(WalError::io(folder))
}

#[cfg(test)]
mod tests;
