//! A small disk in memory that a test fills up.

use super::{
    command::run,
    names::{mount_source, remove_stale},
};
use crate::error::{Error, IoContext, Result};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// What the filling is written in.
const CHUNK: usize = 64 * 1024;

/// A mounted disk; dropping it unmounts it, also while it is in use.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of `mib` MiB over `folder`, which is made.
    ///
    /// # Errors
    /// [`Error::Other`] if this process may not mount.
    pub fn mount(folder: &Path, mib: usize) -> Result<Self> {
        remove_stale();
        fs::create_dir_all(folder).attempt(|| format!("making {}", folder.display()))?;
        let path = folder.display().to_string();
        let size = format!("size={mib}m,mode=0700");
        run("mount", &["-t", "tmpfs", "-o", &size, &mount_source(), &path]).map_err(|error| {
            Error::other(format!(
                "tests of a full disk mount one: run them as root, or leave the end-to-end tests \
                 out with `scripts/test --no-e2e` ({error})"
            ))
        })?;
        Ok(Self { folder: folder.into() })
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// [`Error::Io`] if something else than a lack of space ends it.
    pub fn fill(&self) -> Result<()> {
        let path = self.filling();
        let what = || format!("filling {}", path.display());
        let mut file = File::create(&path).attempt(what)?;
        let mut size = CHUNK;
        while size > 0 {
            match file.write(&vec![0xAA; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => size /= 2,
                Err(error) => return Err(error).attempt(what),
            }
        }
        Ok(())
    }

    /// Gives the space back that [`SmallDisk::fill`] took.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn free(&self) -> Result<()> {
        let path = self.filling();
        fs::remove_file(&path).attempt(|| format!("removing {}", path.display()))
    }

    fn filling(&self) -> PathBuf {
        self.folder.join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = run("umount", &["--lazy", &self.folder.display().to_string()]);
    }
}
