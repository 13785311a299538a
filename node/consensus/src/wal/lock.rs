//! One key, one process of this machine.

use super::WalError;
use cascoin_l2_primitives::chain::BlockHash;
use sp_core::ed25519;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
};

/// Held as long as the log is open; the system frees it when the process ends,
/// however it ends.
///
/// The lock lies in the machine's temporary folder, not beside the log: two
/// nodes started with one key by mistake usually have two base paths.
pub(super) struct KeyLock(#[allow(dead_code)] File);

impl KeyLock {
    pub(super) fn take(genesis: BlockHash, key: ed25519::Public) -> Result<Self, WalError> {
        let path = path(genesis, key);
        // One that is there is only read, which is enough to lock it: it may be
        // another user's, of root who tried the node once.
        let file = File::open(&path)
            .or_else(|_| OpenOptions::new().write(true).create(true).truncate(false).open(&path))
            .map_err(|source| WalError::LockFile { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(WalError::InUse { key: hex::encode(key.0), path }),
            Err(TryLockError::Error(source)) => Err(WalError::Io { path, source }),
        }
    }
}

/// Where the lock of a key is.
pub(super) fn path(genesis: BlockHash, key: ed25519::Public) -> PathBuf {
    let name =
        format!("cascoin-l2-{}-{}.lock", hex::encode(&genesis.as_bytes()[..8]), hex::encode(key.0));
    std::env::temp_dir().join(name)
}
