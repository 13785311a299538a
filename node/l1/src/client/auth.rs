//! Credentials of the L1 node.
//!
//! A node writes a new cookie at every start, so files are read again whenever
//! it answers 401. Credentials are never logged, shown or put into errors.

use super::L1Error;
use base64::{engine::general_purpose::STANDARD, Engine};
use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

/// How to identify ourselves to the L1 node.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// The node's own `.cookie` file.
    CookieFile(PathBuf),
    /// A file of ours whose first line is `user:password`.
    AuthFile(PathBuf),
    /// `user:password` itself; for tests.
    UserPassword(String),
}

// By hand, so that a password cannot slip into a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::CookieFile(path) => write!(f, "CookieFile({})", path.display()),
            Self::AuthFile(path) => write!(f, "AuthFile({})", path.display()),
            Self::UserPassword(_) => f.write_str("UserPassword(…)"),
        }
    }
}

impl Credentials {
    /// The value of the `Authorization` header, if one is to be sent.
    pub(super) fn header(&self) -> Result<Option<String>, L1Error> {
        let pair = match self {
            Self::None => return Ok(None),
            Self::CookieFile(path) | Self::AuthFile(path) => read_pair(path)?,
            Self::UserPassword(pair) => pair.clone(),
        };
        Ok(Some(format!("Basic {}", STANDARD.encode(pair))))
    }

    /// Whether reading again can give something else.
    pub(super) fn may_change(&self) -> bool {
        matches!(self, Self::CookieFile(_) | Self::AuthFile(_))
    }
}

fn read_pair(path: &Path) -> Result<String, L1Error> {
    // A cookie has 75 bytes; a path to some huge file is a mistake.
    const MAX_BYTES: u64 = 4096;
    let bad = |reason: String| L1Error::BadCredentialsFile { path: path.into(), reason };
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| bad(error.to_string()))?;
    let line = text.lines().next().unwrap_or_default().trim();
    if !line.contains(':') {
        return Err(bad("the first line must be user:password".into()));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(content: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("auth");
        fs::write(&path, content).expect("written");
        (dir, path)
    }

    #[test]
    fn the_first_line_is_the_pair_and_is_read_again() {
        let (_dir, path) = file_with("alice:secret\nignored\n");
        let credentials = Credentials::AuthFile(path.clone());
        assert_eq!(credentials.header(), Ok(Some("Basic YWxpY2U6c2VjcmV0".into())));
        fs::write(&path, "bob:other").expect("written");
        assert_eq!(credentials.header(), Ok(Some("Basic Ym9iOm90aGVy".into())));
    }

    #[test]
    fn a_missing_or_shapeless_file_is_named() {
        let missing = Credentials::CookieFile("/nonexistent/.cookie".into());
        assert!(matches!(missing.header(), Err(L1Error::BadCredentialsFile { .. })));
        let (_dir, path) = file_with("no pair here");
        let shapeless = Credentials::AuthFile(path).header();
        assert!(matches!(shapeless, Err(L1Error::BadCredentialsFile { .. })));
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = format!("{:?}", Credentials::UserPassword("alice:secret".into()));
        assert!(!shown.contains("secret") && !shown.contains("alice"));
    }
}
