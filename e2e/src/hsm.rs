//! A sequencer's keys in a SoftHSM token: `softhsm2` of Debian, with its token in a folder of the
//! test.

use crate::{
    error::{Error, IoContext, Result},
    node::{binary, Node},
};
use serde_json::{Map, Value};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Where Debian puts the library.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The token's label.
pub const LABEL: &str = "sequencer";
/// The user's PIN.
pub const PIN: &str = "123456";

/// Key types of the keystore, and their names in a chain spec.
const KEYS: [(&str, &str); 4] =
    [("aura", "aura"), ("gran", "grandpa"), ("rlay", "relay"), ("valt", "vault")];

/// A token and what is needed to use it.
pub struct Token {
    folder: PathBuf,
}

impl Token {
    /// Makes a token without keys in `folder`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Other`]: SoftHSM is not installed or fails.
    pub fn make(folder: &Path) -> Result<Self> {
        let token = Self { folder: folder.into() };
        let tokens = token.tokens();
        fs::create_dir_all(&tokens).attempt(|| format!("making {}", tokens.display()))?;
        let settings = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        let file = token.settings();
        fs::write(&file, settings).attempt(|| format!("writing {}", file.display()))?;
        token.write_pin(PIN)?;
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN]);
        let output = token.run(&mut command)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::other(format!("softhsm2-util --init-token: {said}")));
        }
        Ok(token)
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// The file with the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.folder.join("pin")
    }

    /// Writes the PIN's file anew, for its owner's eyes only.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_pin(&self, pin: &str) -> Result<()> {
        let file = self.pin_file();
        fs::write(&file, format!("{pin}\n")).attempt(|| format!("writing {}", file.display()))?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))
            .attempt(|| format!("making {} private", file.display()))
    }

    /// The flags that name it.
    pub fn flags(&self) -> Vec<String> {
        let pin_file = self.pin_file().display().to_string();
        let flags = [
            ("--pkcs11-module", MODULE),
            ("--pkcs11-token", LABEL),
            ("--pkcs11-pin-file", &pin_file),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.into(), value.into()]).collect()
    }

    /// Has a node sequence with this token's keys instead of a development key.
    pub fn give_to(&self, node: &mut Node) {
        node.set_environment("SOFTHSM2_CONF", &self.settings().display().to_string());
        let config = node.config_mut();
        config.dev_key = None;
        config.extra.push("--sequencer".into());
        config.extra.extend(self.flags());
    }

    /// `cascoin-l2 hsm generate`: makes a sequencer's keys; as `session.keys` of a chain spec wants
    /// them.
    ///
    /// # Errors
    /// [`Error::Other`] with what the program said.
    pub fn generate(&self, chain: &str, base_path: &Path) -> Result<Value> {
        let base_path = base_path.display().to_string();
        let shared = ["--chain", chain, "--base-path", &base_path];
        let output = self.command("generate", &shared, &self.flags())?;
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut keys = Map::new();
        for (key_type, name) in KEYS {
            let address = lines.lines().find_map(|line| {
                let mut words = line.split_whitespace();
                (words.next() == Some(key_type)).then(|| words.nth(1)).flatten()
            });
            let address = address.ok_or_else(|| {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                Error::other(format!("hsm generate made no {key_type} key: {lines}{said}"))
            })?;
            keys.insert(name.into(), address.into());
        }
        Ok(Value::Object(keys))
    }

    /// Runs `cascoin-l2 hsm COMMAND` where this token is.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be run.
    pub fn command(&self, command: &str, shared: &[&str], flags: &[String]) -> Result<Output> {
        self.run(Command::new(binary()?).args(["hsm", command]).args(shared).args(flags))
    }

    fn run(&self, command: &mut Command) -> Result<Output> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.env("SOFTHSM2_CONF", self.settings()).output();
        output.attempt(|| format!("running {program} (softhsm2 must be installed)"))
    }

    /// Pulls the token out of its slot.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn take_away(&self) -> Result<()> {
        let away = self.folder.join("away");
        fs::rename(self.tokens(), away).attempt(|| "taking the token away".into())
    }

    /// Puts it back.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn bring_back(&self) -> Result<()> {
        let away = self.folder.join("away");
        fs::rename(away, self.tokens()).attempt(|| "bringing the token back".into())
    }
}
