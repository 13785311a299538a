//! The programs `ip`, `mount` and `umount`.

use crate::error::{Error, IoContext, Result};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Runs a program and waits for it; what it printed.
///
/// # Errors
/// [`Error::Other`] with its words if it fails.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let said = || format!("{program} {}", arguments.join(" "));
    let output = command(program).args(arguments).output().attempt(said)?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Error::other(format!("{}: {}", said(), error.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `ip`, as [`run`].
///
/// # Errors
/// As [`run`].
pub(super) fn ip(arguments: &[&str]) -> Result<String> {
    run("ip", arguments)
}

/// Many `ip` commands in one process, in a namespace or in this machine's.
///
/// # Errors
/// [`Error::Other`] with what `ip` says of the first that fails.
pub(super) fn ip_batch(namespace: Option<&str>, commands: &[String]) -> Result<()> {
    let what = || "running ip -batch".to_string();
    let mut program = command("ip");
    if let Some(namespace) = namespace {
        program.args(["-netns", namespace]);
    }
    let mut child = program
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .attempt(what)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all((commands.join("\n") + "\n").as_bytes()).attempt(what)?;
    }
    let output = child.wait_with_output().attempt(what)?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Error::other(format!("ip, told to {commands:?}: {}", error.trim())));
    }
    Ok(())
}

/// A program that is also found where the user's PATH lacks the system's folders.
fn command(program: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}
