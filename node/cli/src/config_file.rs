//! The configuration file (ledger O1, R11.3): flags written down, one a line.
//!
//! `--config FILE` names it. A line is `flag=value` with the flag's long name
//! and no dashes, in the manner of the L1's own file; a switch takes `1` or `0`;
//! a flag that may be given several times has several lines; `#` begins a
//! comment. What the command line says itself holds instead of the file. A line
//! that names no flag is an error, so that a misspelt one is not overlooked.

use clap::{Arg, ArgAction, Command};
use std::{collections::BTreeSet, ffi::OsString, path::Path};

/// The flag that names the file.
pub const FLAG: &str = "config";

/// Why a file is not taken, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It cannot be read.
    #[error("cannot read the configuration file {0}: {1}")]
    Unreadable(String, std::io::Error),
    /// A line is wrong.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// The file.
        file: String,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The arguments of the command line with those of its configuration file, if it
/// names one, behind them.
///
/// # Errors
/// [`ConfigFileError`].
pub fn expand(
    command: &Command,
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>, ConfigFileError> {
    let Some(file) = named(&arguments) else { return Ok(arguments) };
    let shown = Path::new(&file).display().to_string();
    let text = std::fs::read_to_string(&file)
        .map_err(|error| ConfigFileError::Unreadable(shown.clone(), error))?;
    let flags = parse(command, &given(command, &arguments), &text)
        .map_err(|(line, reason)| ConfigFileError::Line { file: shown, line, reason })?;
    // Before the first sub-command's flags would be wrong, and behind them too: a
    // file configures the node itself, which has no sub-command.
    Ok(arguments.into_iter().chain(flags.into_iter().map(OsString::from)).collect())
}

/// The file that the command line names.
fn named(arguments: &[OsString]) -> Option<OsString> {
    let flag = format!("--{FLAG}");
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        if *argument == *flag {
            return arguments.next().cloned();
        }
        if let Some(file) = argument.to_str().and_then(|text| text.strip_prefix(&flag)) {
            if let Some(file) = file.strip_prefix('=') {
                return Some(file.into());
            }
        }
    }
    None
}

/// Identifiers of the flags that the command line gives itself.
fn given(command: &Command, arguments: &[OsString]) -> BTreeSet<clap::Id> {
    arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .filter_map(|argument| match argument.strip_prefix("--") {
            Some(long) => find(command, long.split('=').next().unwrap_or(long)),
            None => short(command, argument),
        })
        .map(|argument| argument.get_id().clone())
        .collect()
}

fn find<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| {
        argument.get_long() == Some(long)
            || argument.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
    })
}

fn short<'a>(command: &'a Command, argument: &str) -> Option<&'a Arg> {
    let letter = argument.strip_prefix('-')?.chars().next()?;
    command.get_arguments().find(|argument| argument.get_short() == Some(letter))
}

/// The flags of a file, or the number of the wrong line and what is wrong.
fn parse(
    command: &Command,
    given: &BTreeSet<clap::Id>,
    text: &str,
) -> Result<Vec<String>, (usize, String)> {
    let mut flags = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let (name, value) = match content.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (content, None),
        };
        let name = name.trim_start_matches('-');
        let argument = find(command, name)
            .filter(|argument| argument.get_long() != Some(FLAG))
            .ok_or_else(|| (line, format!("`{name}` is no flag of the node; see --help")))?;
        if given.contains(argument.get_id()) {
            continue;
        }
        if takes_no_value(argument) {
            match value {
                None | Some("1" | "true") => flags.push(format!("--{name}")),
                Some("0" | "false") => {}
                Some(other) => {
                    return Err((line, format!("`{name}` is 1 or 0, not `{other}`")));
                }
            }
        } else {
            let value = value.filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| (line, format!("`{name}` needs a value")))?;
            flags.push(format!("--{name}={value}"));
        }
    }
    Ok(flags)
}

fn takes_no_value(argument: &Arg) -> bool {
    !matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}
