//! One file of the log.

use super::{Record, WalError};
use codec::{Decode, Encode};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const FRAME: usize = 8;

/// An open segment. After an error it takes no more records until it is opened
/// again: bytes of unknown state may stand at its end.
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    len: u64,
    broken: bool,
}

impl Segment {
    /// Opens or creates a segment and reads its records. A torn end is cut off
    /// if `torn_end_allowed` (the last segment), else it is damage.
    pub(super) fn open(
        path: &Path,
        torn_end_allowed: bool,
    ) -> Result<(Self, Vec<Record>), WalError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(WalError::io(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(WalError::io(path))?;
        let (records, good) = read(&bytes);
        if good < bytes.len() {
            // Only a write that never ended may be cut off: it reaches exactly to
            // the end of the file. A bad frame with good ones behind is damage.
            if !torn_end_allowed || is_followed_by_a_frame(&bytes[good..]) {
                return Err(WalError::Damaged { path: path.to_owned(), offset: good as u64 });
            }
            log::warn!(
                target: "l2::bft",
                "write-ahead log {}: cut off {} bytes of an unfinished write",
                path.display(),
                bytes.len() - good,
            );
            file.set_len(good as u64).map_err(WalError::io(path))?;
        }
        // A process that was killed between write and sync left records that only
        // the system's cache holds. They count from now on, so they must last.
        file.sync_all().map_err(WalError::io(path))?;
        file.seek(SeekFrom::Start(good as u64)).map_err(WalError::io(path))?;
        Ok((Self { path: path.to_owned(), file, len: good as u64, broken: false }, records))
    }

    /// Appends records as one frame: after a crash all of them are there, or none.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), WalError> {
        let body: Vec<u8> = records.iter().flat_map(Encode::encode).collect();
        let mut frame = Vec::with_capacity(FRAME + body.len());
        frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
        frame.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        frame.extend_from_slice(&body);
        self.guarded(|file| file.write_all(&frame))?;
        self.len += frame.len() as u64;
        Ok(())
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

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// All good records from the start, and where the first bad frame begins.
pub(super) fn read(bytes: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut position = 0;
    while let Some((frame, length)) = read_one(&bytes[position..]) {
        records.extend(frame);
        position += length;
    }
    (records, position)
}

fn read_one(bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = word(0)? as usize;
    let mut body = bytes.get(FRAME..FRAME.checked_add(length)?)?;
    // Cheap before dear: the first byte of a record is its small number. It also
    // tells a run of zeros, which a power cut may leave, from an empty frame.
    if *body.first()? > Record::LAST_INDEX || crc32c::crc32c(body) != word(4)? {
        return None;
    }
    let mut records = Vec::new();
    while !body.is_empty() {
        records.push(Record::decode(&mut body).ok()?);
    }
    Some((records, FRAME + length))
}

/// Whether a whole frame stands anywhere behind a bad one. Lengths in the bad part
/// mean nothing, so every place is tried.
fn is_followed_by_a_frame(bytes: &[u8]) -> bool {
    (1..bytes.len()).any(|start| read_one(&bytes[start..]).is_some())
}
