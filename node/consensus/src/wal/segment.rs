//! One file of the log.
//!
//! It begins with `CASL2WAL ‖ version u8 ‖ salt`; then come frames
//! `length u32 LE ‖ CRC32C(body) u32 LE ‖ CRC32C(salt ‖ the eight bytes before) u32 LE ‖ body`.
//! A body is SCALE(record) …, that of the first frame a [`Record::Header`].
//!
//! The salt is random and leaves this machine nowhere. Blocks stand in the log as
//! they are, with bytes of users' choice in them; without the salt such bytes could
//! pose as a frame and make an unfinished write look like damage in the middle.

use super::{sync_folder, Record, WalError};
use codec::{Decode, Encode};
use sp_core::{ed25519, Pair as _};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const MAGIC: &[u8] = b"CASL2WAL";
/// The form of segment and records that this node writes, the only one it reads.
const VERSION: u8 = 2;
const SALT: usize = 8;
/// Where the first frame begins.
const PREAMBLE: usize = MAGIC.len() + 1 + SALT;
/// Bytes of a frame before its body.
const FRAME: usize = 12;

/// CRC of a segment's salt, with which the check of each frame's head goes on.
#[derive(Clone, Copy)]
struct Salt(u32);

/// An open segment. After an error it takes no more records until it is opened
/// again: bytes of unknown state may stand at its end.
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    salt: Salt,
    len: u64,
    broken: bool,
}

/// How the bytes of a segment end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// With a whole frame.
    Whole,
    /// With a write that never ended.
    Torn,
    /// With something that no crash leaves.
    Damaged,
}

/// What was read of a segment.
pub(super) struct Contents {
    /// All good records from the start.
    pub(super) records: Vec<Record>,
    /// Where the first bad frame begins.
    pub(super) good: usize,
    pub(super) end: End,
    salt: Salt,
}

impl Segment {
    /// Makes a segment that begins with `header`.
    ///
    /// It gets its name when it is on the disk with its header, and before anything
    /// else is written to it. So a crash leaves either no segment or one with a
    /// whole header. Nobody has signed anything before this returns, hence a new key
    /// whose log a crash kept from being made is as new as before; and a segment
    /// without a whole header is always one that lost it.
    pub(super) fn create(path: &Path, header: &Record) -> Result<Self, WalError> {
        let temporary = path.with_extension("new");
        let mut file = File::create(&temporary).map_err(WalError::io(&temporary))?;
        // Any 32 bytes from the system's source of randomness would do.
        let seed = ed25519::Pair::generate().1;
        let salt_bytes = &seed[..SALT];
        let salt = Salt::new(salt_bytes);
        let mut bytes = [MAGIC, &[VERSION], salt_bytes].concat();
        bytes.extend(frame(salt, std::slice::from_ref(header)));
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        written.map_err(WalError::io(&temporary))?;
        fs::rename(&temporary, path).map_err(WalError::io(path))?;
        path.parent().map_or(Ok(()), sync_folder)?;
        let len = bytes.len() as u64;
        Ok(Self { path: path.to_owned(), file, salt, len, broken: false })
    }

    /// Opens a segment and reads its records, of which there is one at least. A torn
    /// end is cut off if `torn_end_allowed` (the last segment), else it is damage.
    pub(super) fn open(
        path: &Path,
        torn_end_allowed: bool,
    ) -> Result<(Self, Vec<Record>), WalError> {
        let mut file =
            OpenOptions::new().read(true).write(true).open(path).map_err(WalError::io(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(WalError::io(path))?;
        if let Some(version) = version(&bytes).filter(|version| *version != VERSION) {
            return Err(WalError::Version { path: path.to_owned(), version });
        }
        let Contents { records, good, end, salt } = read(&bytes);
        match end {
            End::Whole => {}
            End::Torn if torn_end_allowed => {
                log::warn!(
                    target: "l2::bft",
                    "write-ahead log {}: cut off {} bytes of an unfinished write",
                    path.display(),
                    bytes.len() - good,
                );
                file.set_len(good as u64).map_err(WalError::io(path))?;
            }
            End::Torn | End::Damaged => {
                return Err(WalError::Damaged { path: path.to_owned(), offset: good as u64 });
            }
        }
        // A process that was killed between write and sync left records that only
        // the system's cache holds. They count from now on, so they must last.
        file.sync_all().map_err(WalError::io(path))?;
        file.seek(SeekFrom::Start(good as u64)).map_err(WalError::io(path))?;
        Ok((Self { path: path.to_owned(), file, salt, len: good as u64, broken: false }, records))
    }

    /// Appends records as one frame: after a crash all of them are there, or none.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), WalError> {
        if records.is_empty() {
            return Ok(());
        }
        let frame = frame(self.salt, records);
        let result = self.guarded(|file| file.write_all(&frame));
        match &result {
            Ok(()) => self.len += frame.len() as u64,
            // A full disk took a part. Nothing rests on it, and each opening while the
            // disk stays full would find a torn end; should this fail, it does.
            Err(_) => drop(self.file.set_len(self.len)),
        }
        result
    }

    pub(super) fn sync(&mut self) -> Result<(), WalError> {
        self.guarded(|file| file.sync_data())
    }

    fn guarded(&mut self, act: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), WalError> {
        let result = if self.broken {
            Err(io::Error::other("an earlier write failed; restart the node once the disk is well"))
        } else {
            act(&mut self.file)
        };
        self.broken = result.is_err();
        result.map_err(WalError::io(&self.path))
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Salt {
    fn new(salt: &[u8]) -> Self {
        Self(crc32c::crc32c(salt))
    }

    /// The check of a frame's first eight bytes.
    fn check(self, head: &[u8]) -> u32 {
        crc32c::crc32c_append(self.0, head)
    }
}

fn frame(salt: Salt, records: &[Record]) -> Vec<u8> {
    let body: Vec<u8> = records.iter().flat_map(Encode::encode).collect();
    let mut frame = Vec::with_capacity(FRAME + body.len());
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    frame.extend_from_slice(&salt.check(&frame).to_le_bytes());
    frame.extend_from_slice(&body);
    frame
}

/// The version in a segment's first bytes, if it is a segment.
fn version(bytes: &[u8]) -> Option<u8> {
    bytes.strip_prefix(MAGIC)?.first().copied()
}

/// Reads a segment as far as it is good.
pub(super) fn read(bytes: &[u8]) -> Contents {
    let salt = bytes.get(MAGIC.len() + 1..PREAMBLE).filter(|_| version(bytes) == Some(VERSION));
    let Some(salt) = salt.map(Salt::new) else {
        return Contents { records: Vec::new(), good: 0, end: End::Damaged, salt: Salt(0) };
    };
    let (mut records, mut good) = (Vec::new(), PREAMBLE);
    while let Some((frame, length)) = read_one(salt, &bytes[good..]) {
        records.extend(frame);
        good += length;
    }
    // Only a write that never ended may be missed: it reaches exactly to the end of
    // the file. A bad frame with good ones behind is damage, and so is a segment
    // without its header ([`Segment::create`]).
    let end = if records.is_empty() || is_followed_by_a_frame(salt, &bytes[good..]) {
        End::Damaged
    } else if good < bytes.len() {
        End::Torn
    } else {
        End::Whole
    };
    Contents { records, good, end, salt }
}

fn read_one(salt: Salt, bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    // Cheap before dear: whether a frame begins here at all.
    if word(8)? != salt.check(&bytes[..8]) {
        return None;
    }
    let mut body = bytes.get(FRAME..FRAME.checked_add(word(0)? as usize)?)?;
    let length = FRAME + body.len();
    if body.is_empty() || crc32c::crc32c(body) != word(4)? {
        return None;
    }
    let mut records = Vec::new();
    while !body.is_empty() {
        records.push(Record::decode(&mut body).ok()?);
    }
    Some((records, length))
}

/// Whether a whole frame stands anywhere behind a bad one. Lengths in the bad part
/// mean nothing, so every place is tried. That costs one short check a place; a
/// body is looked at only behind a head that was made with this salt, so what users
/// put into blocks makes it no dearer.
fn is_followed_by_a_frame(salt: Salt, bytes: &[u8]) -> bool {
    (1..bytes.len()).any(|start| read_one(salt, &bytes[start..]).is_some())
}
