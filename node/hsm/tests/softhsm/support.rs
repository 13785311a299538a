//! A SoftHSM token in a temporary folder.

use cascoin_hsm::{keystore::OpenError, HighWater, HsmKeystore, Token, TokenConfig};
use sp_keystore::{testing::MemoryKeystore, KeystorePtr};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub const LABEL: &str = "cascoin test";
pub const PIN: &str = "123456";

/// A process has one SoftHSM, whose tokens are where its environment says: one test at a time.
static ONE: Mutex<()> = Mutex::new(());

pub struct SoftHsm {
    folder: tempfile::TempDir,
    pub config: TokenConfig,
    /// The node's own keystore.
    pub local: KeystorePtr,
    _one: MutexGuard<'static, ()>,
}

impl SoftHsm {
    /// A fresh token without keys.
    pub fn new() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let settings = folder.path().join("softhsm2.conf");
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(&settings, text).unwrap();
        std::env::set_var("SOFTHSM2_CONF", &settings);
        let pin_file = folder.path().join("pin");
        secret(&pin_file, &format!("{PIN}\n"));
        let config = TokenConfig { module: module(), token: LABEL.into(), pin_file };
        let token = Self { folder, config, local: Arc::new(MemoryKeystore::new()), _one: one };
        token.util(&["--init-token", "--free", "--label", LABEL, "--so-pin", "87654321"]);
        token
    }

    /// Runs `softhsm2-util` with the user's PIN.
    pub fn util(&self, arguments: &[&str]) {
        let output = Command::new("softhsm2-util")
            .args(arguments)
            .args(["--pin", PIN])
            .output()
            .expect("softhsm2-util is not there: install it (apt-get install softhsm2)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the marks are.
    pub fn marks(&self) -> PathBuf {
        self.path("marks")
    }

    /// As a node opens it. `new_keys`: as on a new chain.
    pub fn open(&self, new_keys: bool) -> Result<HsmKeystore, OpenError> {
        self.open_as(self.config.clone(), new_keys)
    }

    pub fn open_as(&self, config: TokenConfig, new_keys: bool) -> Result<HsmKeystore, OpenError> {
        let token = Box::new(Token::new(config));
        HsmKeystore::open(token, HighWater::new(self.marks()), new_keys, self.local.clone())
    }
}

/// Writes a file that only its owner can read.
pub fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Debian's, wherever its architecture puts it.
fn module() -> PathBuf {
    let debian = Path::new("/usr/lib/softhsm/libsofthsm2.so");
    assert!(
        debian.exists(),
        "there is no {}: install SoftHSM (apt-get install softhsm2)",
        debian.display(),
    );
    debian.to_owned()
}
