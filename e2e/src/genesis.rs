//! Genesis states, made once for all nodes of a build: whoever starts from the name
//! of a preset, or from a chain spec that is not raw, compiles the runtime to make
//! its genesis (5.6 s of processor time a start, of which the chain itself needs a
//! twentieth).

use crate::{
    error::{Error, IoContext, Result},
    node::binary,
    process,
};
use serde_json::Value;
use sp_core::{Blake2Hasher, Hasher};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// The raw chain spec of `chain` (a preset, or the path of a spec) as the node under
/// test makes it. Files are kept beside the programs, for this very node.
///
/// # Errors
/// [`Error::Io`] if the spec cannot be read or written, [`Error::Other`] with the
/// node's words if it makes none.
pub fn raw(chain: &str) -> Result<PathBuf> {
    let node = binary()?;
    let given = Path::new(chain);
    // A preset is known by its name, a spec by what it says.
    let text = if given.is_file() {
        fs::read(given).attempt(|| format!("reading {chain}"))?
    } else {
        chain.as_bytes().to_vec()
    };
    if is_raw(&text) {
        return Ok(given.into());
    }
    let folder = folder(&node)?;
    let file = folder.join(format!("{}.json", hex::encode(Blake2Hasher::hash(&text))));
    if file.exists() {
        return Ok(file);
    }
    let (text, _) = built(chain, &["--raw"])?;
    // Tests run beside each other: nobody is to read half a file.
    let unfinished = tempfile::NamedTempFile::new_in(&folder)
        .attempt(|| format!("making a file in {}", folder.display()))?;
    fs::write(unfinished.path(), text).attempt(|| "writing a chain spec".into())?;
    unfinished
        .persist(&file)
        .map_err(|error| Error::other(format!("keeping {}: {error}", file.display())))?;
    Ok(file)
}

/// The plain chain spec of a preset, as the node under test prints it.
///
/// # Errors
/// [`Error::Io`] if the node cannot be run, [`Error::Other`] with its words if it prints
/// none.
pub fn chain_spec(preset: &str) -> Result<Value> {
    built(preset, &[]).map(|(_, spec)| spec)
}

/// What the node prints with these flags: as it stands, and read.
fn built(chain: &str, flags: &[&str]) -> Result<(Vec<u8>, Value)> {
    let mut command = Command::new(binary()?);
    command.args(["build-spec", "--disable-default-bootnode", "--chain", chain]).args(flags);
    let output = command.output().attempt(|| "running build-spec".into())?;
    let spec = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        Error::other(format!("build-spec --chain {chain} {flags:?}: {error}; it said: {said}"))
    })?;
    Ok((output.stdout, spec))
}

fn is_raw(text: &[u8]) -> bool {
    let spec: Option<Value> = serde_json::from_slice(text).ok();
    spec.is_some_and(|spec| spec["genesis"]["raw"].is_object())
}

/// Where specs of this node are kept. Those of earlier nodes are removed, but for
/// what another run of today may still read.
fn folder(node: &Path) -> Result<PathBuf> {
    let about = fs::metadata(node).attempt(|| format!("looking at {}", node.display()))?;
    let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let made = changed.unwrap_or_default().as_nanos();
    let stamp = Blake2Hasher::hash(format!("{} {made}", node.display()).as_bytes());
    let all = process::beside_programs("e2e-genesis")
        .ok_or_else(|| Error::other("this program does not know where it lies"))?;
    let folder = all.join(hex::encode(&stamp[..8]));
    fs::create_dir_all(&folder).attempt(|| format!("making {}", folder.display()))?;
    // Of its last use, not of its last file.
    let used = fs::File::open(&folder).and_then(|folder| folder.set_modified(SystemTime::now()));
    used.attempt(|| format!("marking {}", folder.display()))?;
    for other in fs::read_dir(&all).into_iter().flatten().flatten() {
        let age = other.metadata().ok().and_then(|about| about.modified().ok()?.elapsed().ok());
        if other.path() != folder && age > Some(A_DAY) {
            let _ = fs::remove_dir_all(other.path());
        }
    }
    Ok(folder)
}
