//! A child process that writes to a log file and never outlives its owner.

use crate::error::{Error, IoContext, Result};
use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// util-linux's tool, part of every Debian: asks the kernel to kill the child
/// when the thread that started it dies, so that not even `kill -9` of a test
/// leaves nodes behind.
const SETPRIV: &str = "/usr/bin/setpriv";

/// Names the folder in which nodes keep the runtime's compiled code.
const WASM_CACHE_ENV: &str = "CASCOIN_L2_WASM_CACHE";

/// That folder, shared by all nodes of a build: compiling the runtime takes a node
/// seconds of both cores, and all of them compile the same. It lies beside the
/// programs, where only their owner writes, because nodes run what is in it.
pub fn wasm_cache() -> Option<PathBuf> {
    beside_programs("e2e-wasm-cache")
}

/// A folder of that name beside the programs of this build.
pub(crate) fn beside_programs(name: &str) -> Option<PathBuf> {
    let exe = env::current_exe().ok()?;
    let folder = exe.parent()?;
    // Programs are in `release`, tests in `release/deps`.
    let release = if folder.ends_with("deps") { folder.parent()? } else { folder };
    Some(release.join(name))
}

/// What a process finds around it besides its arguments.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The network namespace it lives in; this process's own if `None`.
    pub namespace: Option<String>,
    /// Further environment variables.
    pub environment: Vec<(String, String)>,
}

impl Surroundings {
    /// The command that starts `program` there.
    fn command(&self, program: &Path) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        // Neither starts a process of its own: each becomes the program.
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(OsString::from));
        }
        if Path::new(SETPRIV).exists() {
            words.extend([SETPRIV, "--pdeathsig", "KILL", "--"].map(OsString::from));
        }
        words.push(program.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs(self.environment.iter().cloned());
        command
    }
}

/// A running child. Dropping it kills it.
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `program`; its output is appended to `log`, and `temporary` is its
    /// folder for temporary files.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be started or the log cannot be written.
    pub fn start(
        name: &str,
        program: &Path,
        args: &[String],
        log: &Path,
        temporary: &Path,
    ) -> Result<Self> {
        Self::start_in(name, program, args, log, temporary, &Surroundings::default())
    }

    /// As [`Process::start`], in `surroundings`.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_in(
        name: &str,
        program: &Path,
        args: &[String],
        log: &Path,
        temporary: &Path,
        surroundings: &Surroundings,
    ) -> Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .attempt(|| format!("opening {}", log.display()))?;
        let errors = output.try_clone().attempt(|| format!("opening {}", log.display()))?;
        let child = surroundings
            .command(program)
            .args(args)
            .env("TMPDIR", temporary)
            .envs(wasm_cache().map(|cache| (WASM_CACHE_ENV, cache)))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .attempt(|| format!("starting {}", program.display()))?;
        Ok(Self { name: name.into(), log: log.into(), child })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, once it has ended.
    ///
    /// # Errors
    /// [`Error::Io`] if the system does not tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().attempt(|| format!("watching {}", self.name))
    }

    /// Fails if it has ended.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub fn expect_running(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                name: self.name.clone(),
                status: status.to_string(),
                log: self.log.display().to_string(),
            }),
        }
    }

    /// Waits for it to end by itself; `None` if it still runs after `limit`.
    ///
    /// # Errors
    /// [`Error::Io`] if the system does not tell.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(None)
    }

    /// Ends it as a service manager would: SIGTERM, and SIGKILL after `limit`.
    /// Returns whether SIGTERM was enough.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn terminate(&mut self, limit: Duration) -> Result<bool> {
        if self.ended()?.is_some() {
            return Ok(true);
        }
        self.signal("TERM")?;
        let gracefully = self.wait(limit)?.is_some();
        if !gracefully {
            self.kill()?;
        }
        Ok(gracefully)
    }

    /// `kill -9`: it gets no chance to write anything.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn kill(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.child.kill().attempt(|| format!("killing {}", self.name))?;
            self.child.wait().attempt(|| format!("waiting for {}", self.name))?;
        }
        Ok(())
    }

    /// Freezes it (SIGSTOP), as a machine that hangs would.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Resident memory; `None` where the system does not tell.
    pub fn memory(&self) -> Option<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let bytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
        };
        Some(Memory { own: bytes("RssAnon:")?, files: bytes("RssFile:")? })
    }

    // The shell's own kill: std sends only SIGKILL, and the `kill` program is
    // not on every machine.
    fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.id())])
            .stderr(Stdio::null())
            .status()
            .attempt(|| format!("sending SIG{name} to {}", self.name))?;
        if status.success() {
            return Ok(());
        }
        Err(Error::other(format!("cannot send SIG{name} to {}", self.name)))
    }
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What it allocated.
    pub own: u64,
    /// Pages of the files it maps: its program and its database. The system takes them
    /// back where it needs room.
    pub files: u64,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about an error here, and the kernel reaps what is
        // left when this process ends.
        let _ = self.kill();
    }
}

/// The last `lines` lines of a log.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| format!("cannot read {}: {error}", log.display()));
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
