//! The high-water mark: what a key has signed last, on disk before the signature is given out.
//!
//! Rules, for each key:
//! - A vote above the mark is signed, and the mark rises to it.
//! - The very message at the mark is signed again.
//! - Everything else at or below the mark is refused. So is a vote for another chain.
//! - A key whose mark is missing or damaged signs no vote, unless the caller says that it never
//!   has ([`HighWater::begin`]).
//!
//! The signature is made first and given out last: what a token failed to sign leaves no mark, so
//! the node is free to vote otherwise when the token is back.
//!
//! The mark holds the message itself and the one before it, for a caller that was killed before it
//! had noted what was signed ([`HighWater::last_signed`]).
//!
//! On disk a mark is a file of two slots, written in turn and each with a checksum. A write that a
//! power cut tore leaves the other slot, whose mark is then the right one: the signature of the
//! torn one was never given out. Nothing tells a torn slot from one that rotted later; the log is
//! the second witness then.

use crate::vote::Position;
use codec::{Decode, Encode};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// First bytes of a slot's content.
const MAGIC: [u8; 8] = *b"CASL2HW2";
/// Where the slots begin: no disk tears both with one write.
const SLOTS: [u64; 2] = [0, 4096];
/// Bytes of a slot.
const SLOT_BYTES: usize = 512;

/// Why no vote is signed.
#[derive(Debug, thiserror::Error)]
pub enum HighWaterError {
    /// The key has signed something later, or something else.
    #[error("key {key} has signed the {mark}: refused to sign another {asked}")]
    Refused {
        /// The key, hex.
        key: String,
        /// What it signed last.
        mark: Position,
        /// What it was asked to sign.
        asked: Position,
    },
    /// The key signs for another chain.
    #[error("key {key} has signed for another chain (genesis {genesis}): a key serves one chain")]
    OtherChain {
        /// The key, hex.
        key: String,
        /// That chain's genesis, hex.
        genesis: String,
    },
    /// There is no mark.
    #[error(
        "no high-water mark of sequencer key {key} ({path}): without it nobody knows what the key \
         has signed. Restore the file from this key's machine; if the key has never signed for \
         this chain, start once with --accept-missing-log"
    )]
    Missing {
        /// The key, hex.
        key: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// The mark cannot be read, or is another key's.
    #[error(
        "high-water mark {path} is damaged or of another key: nobody knows what the key has \
         signed; restore the file from this machine's backup only if it is not older than the \
         key's last vote, or rotate the session keys"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("high-water mark {path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed or is full, or the message is too long for a mark.
    #[error("high-water mark {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Mark {
    magic: [u8; 8],
    key: [u8; 32],
    /// Rises with each write; the higher slot holds.
    sequence: u64,
    last: Option<(Position, Vec<u8>)>,
    /// What was signed before `last`.
    before: Option<(Position, Vec<u8>)>,
    /// The chain, once a vote named it.
    genesis: Option<[u8; 32]>,
}

/// The marks of all keys of a node, in one folder.
pub struct HighWater {
    folder: PathBuf,
    genesis: Option<[u8; 32]>,
    open: Mutex<BTreeMap<[u8; 32], Arc<Mutex<Option<MarkFile>>>>>,
}

impl HighWater {
    /// Marks in `folder`, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, genesis: None, open: Mutex::default() }
    }

    /// The same, of this chain only: the mark of a key that has signed for another is refused
    /// before anything is to be signed.
    pub fn of_chain(self, genesis: [u8; 32]) -> Self {
        Self { genesis: Some(genesis), ..self }
    }

    /// Makes the mark of a key that has never signed; one that exists is kept.
    ///
    /// # Errors
    /// [`HighWaterError::Io`].
    pub fn begin(&self, key: [u8; 32]) -> Result<(), HighWaterError> {
        match self.exists(&key) {
            true => Ok(()),
            false => MarkFile::create(&self.folder, &self.path(&key), key),
        }
    }

    /// Whether there is a mark of the key, sound or not.
    pub fn exists(&self, key: &[u8; 32]) -> bool {
        self.path(key).exists()
    }

    /// What the key signed last and what it signed before that, newest first: whole messages, as
    /// far as there are any.
    ///
    /// # Errors
    /// [`HighWaterError`].
    pub fn last_signed(&self, key: [u8; 32]) -> Result<Vec<Vec<u8>>, HighWaterError> {
        self.with(key, |file| {
            let signed = file.mark.last.iter().chain(&file.mark.before);
            Ok(signed.map(|(_, message)| message.clone()).collect())
        })
    }

    /// Whether the key may vote: its mark is there and sound.
    ///
    /// # Errors
    /// [`HighWaterError`].
    pub fn check(&self, key: [u8; 32]) -> Result<(), HighWaterError> {
        self.with(key, |_| Ok(()))
    }

    /// Has `sign` sign a vote if the mark allows it, and raises the mark before the signature
    /// is returned. Votes of one key wait for each other.
    ///
    /// # Errors
    /// [`HighWaterError`], what `sign` says.
    pub fn sign<S, E: From<HighWaterError>>(
        &self,
        key: [u8; 32],
        position: Position,
        genesis: Option<[u8; 32]>,
        message: &[u8],
        sign: impl FnOnce() -> Result<S, E>,
    ) -> Result<S, E> {
        self.with(key, |file| {
            file.allows(position, genesis, message)?;
            let signature = sign()?;
            file.raise(position, genesis, message)?;
            Ok(signature)
        })
    }

    fn with<R, E: From<HighWaterError>>(
        &self,
        key: [u8; 32],
        act: impl FnOnce(&mut MarkFile) -> Result<R, E>,
    ) -> Result<R, E> {
        let slot = self.open.lock().entry(key).or_default().clone();
        let mut slot = slot.lock();
        // Taken out, so that after any failed write it is read from the disk again.
        let mut file = match slot.take() {
            Some(file) => file,
            None => MarkFile::open(&self.path(&key), key)?,
        };
        let result = file.of_chain(self.genesis).map_err(E::from).and_then(|()| act(&mut file));
        if !file.broken {
            *slot = Some(file);
        }
        result
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        self.folder.join(hex::encode(key))
    }
}

/// One open file, locked against other processes.
struct MarkFile {
    path: PathBuf,
    file: File,
    mark: Mark,
    /// A write failed: what is on the disk is not known.
    broken: bool,
}

impl MarkFile {
    fn create(folder: &Path, path: &Path, key: [u8; 32]) -> Result<(), HighWaterError> {
        create_durably(folder)?;
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let file = File::create(&temporary).map_err(io_at(&temporary))?;
        let mut mark =
            Mark { magic: MAGIC, key, sequence: 0, last: None, before: None, genesis: None };
        for slot in SLOTS {
            let written = encode(&mark).and_then(|bytes| file.write_all_at(&bytes, slot));
            written.map_err(io_at(&temporary))?;
            mark.sequence += 1;
        }
        file.sync_all().map_err(io_at(&temporary))?;
        // Not renamed: that would replace a mark which another process made and uses meanwhile.
        let linked = fs::hard_link(&temporary, path);
        fs::remove_file(&temporary).map_err(io_at(&temporary))?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_at(path)(error));
            }
            _ => {}
        }
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_at(folder))
    }

    fn open(path: &Path, key: [u8; 32]) -> Result<Self, HighWaterError> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(HighWaterError::Missing { key: hex::encode(key), path: path.into() })
            }
            Err(error) => return Err(io_at(path)(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(HighWaterError::InUse { path: path.into() })
            }
            Err(TryLockError::Error(error)) => return Err(io_at(path)(error)),
        }
        let mut marks = Vec::new();
        for slot in SLOTS {
            let mut bytes = [0; SLOT_BYTES];
            match file.read_exact_at(&mut bytes, slot) {
                Ok(()) => marks.extend(decode(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(io_at(path)(error)),
            }
        }
        let mark = marks.into_iter().max_by_key(|mark| mark.sequence);
        let mark = mark
            .filter(|mark| mark.magic == MAGIC && mark.key == key)
            .ok_or_else(|| HighWaterError::Damaged { path: path.into() })?;
        let mut open = Self { path: path.into(), file, mark, broken: false };
        // After a sync that failed the system may show bytes that are not on the disk.
        let again = open.mark.clone();
        open.write(again)?;
        Ok(open)
    }

    fn allows(
        &self,
        position: Position,
        genesis: Option<[u8; 32]>,
        message: &[u8],
    ) -> Result<(), HighWaterError> {
        self.of_chain(genesis)?;
        match &self.mark.last {
            Some((mark, last)) if position < *mark || (position == *mark && last != message) => {
                let key = hex::encode(self.mark.key);
                Err(HighWaterError::Refused { key, mark: *mark, asked: position })
            }
            _ => Ok(()),
        }
    }

    /// Whether the key serves the chain, as far as both are known.
    fn of_chain(&self, genesis: Option<[u8; 32]>) -> Result<(), HighWaterError> {
        match (self.mark.genesis, genesis) {
            (Some(ours), Some(asked)) if ours != asked => Err(HighWaterError::OtherChain {
                key: hex::encode(self.mark.key),
                genesis: hex::encode(ours),
            }),
            _ => Ok(()),
        }
    }

    fn raise(
        &mut self,
        position: Position,
        genesis: Option<[u8; 32]>,
        message: &[u8],
    ) -> Result<(), HighWaterError> {
        if self.mark.last.as_ref().is_some_and(|(mark, _)| *mark == position) {
            // It is the same message, or it would not have been allowed.
            return Ok(());
        }
        let mut mark = self.mark.clone();
        mark.before = mark.last.replace((position, message.to_vec()));
        mark.genesis = mark.genesis.or(genesis);
        self.write(mark)
    }

    fn write(&mut self, mut mark: Mark) -> Result<(), HighWaterError> {
        mark.sequence = mark.sequence.saturating_add(1);
        let slot = SLOTS[usize::from(mark.sequence % 2 == 1)];
        let bytes = encode(&mark).map_err(io_at(&self.path))?;
        self.broken = true;
        self.file.write_all_at(&bytes, slot).map_err(io_at(&self.path))?;
        self.file.sync_data().map_err(io_at(&self.path))?;
        self.broken = false;
        self.mark = mark;
        Ok(())
    }
}

/// Makes a folder, also those above it, so that a power cut leaves their names.
fn create_durably(folder: &Path) -> Result<(), HighWaterError> {
    let missing = folder.ancestors().take_while(|path| !path.exists()).count();
    fs::create_dir_all(folder).map_err(io_at(folder))?;
    // The nearest in any case: an attempt that was cut off may have made the folder.
    let parents = folder.ancestors().skip(1).take(missing.max(1));
    for parent in parents.map(|path| if path == Path::new("") { Path::new(".") } else { path }) {
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(io_at(parent))?;
    }
    Ok(())
}

/// `length u16 LE ‖ CRC32C u32 LE ‖ SCALE(mark) ‖ zeros`. With votes of the lengths that there are
/// a mark has less than 350 bytes.
fn encode(mark: &Mark) -> io::Result<[u8; SLOT_BYTES]> {
    let body = mark.encode();
    let mut bytes = [0; SLOT_BYTES];
    let (Ok(length), Some(place)) = (u16::try_from(body.len()), bytes.get_mut(6..6 + body.len()))
    else {
        return Err(io::Error::other("the message is too long"));
    };
    place.copy_from_slice(&body);
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes[2..6].copy_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    Ok(bytes)
}

fn decode(bytes: &[u8; SLOT_BYTES]) -> Option<Mark> {
    let length = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let crc = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
    let mut body = bytes.get(6..6 + length)?;
    (crc32c::crc32c(body) == crc).then(|| Mark::decode(&mut body).ok())?
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> HighWaterError + '_ {
    move |source| HighWaterError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
