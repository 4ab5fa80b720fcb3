//! Tokens from files: a Secret that is changed counts from the next question on.
//!
//! What a file holds goes into a header and nowhere else: not into errors, logs or `Debug`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use http::HeaderValue;

use super::FetchError;
use super::web::CUT;
use crate::domain::snapshot::Failure;

/// Longer than any token; a file that is longer is another one.
const MAX_BYTES: u64 = 4096;
/// Stands where a token stood.
const REDACTED: &str = "[token]";
/// So many of a token's first characters may be another word's; that they are shown helps nobody.
const TELLING: usize = 4;

/// A file that holds a token. Kubernetes puts another one in its place when the Secret changes, so it is read anew
/// each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile {
    path: PathBuf,
}

/// A token as a header carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Why a file gives no token; its content is in none of these.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error("cannot be read ({0}); mount the Secret there, readable by this process")]
    Io(#[from] io::Error),
    #[error("is no file; name the file within the mounted Secret")]
    NoFile,
    #[error("is empty; put the token into the Secret")]
    Empty,
    #[error("is longer than {MAX_BYTES} bytes, so it is no token; name the file that holds the token alone")]
    TooLong,
    #[error("holds more than one line or a character no header can carry; let it hold the token alone")]
    Character,
}

impl TokenFile {
    /// The file at `path`, which need not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the token, without the white space around it. Blocks for as long as a file of a few bytes takes.
    ///
    /// # Errors
    /// [`Failure::NoToken`]: the file is missing, unreadable, empty, too long, or holds what no header can carry.
    pub fn read(&self) -> Result<Token, FetchError> {
        self.token().map_err(|error| {
            FetchError::new(Failure::NoToken, format!("the token file {} {error}", self.path.display()))
        })
    }

    fn token(&self) -> Result<Token, TokenError> {
        // A pipe would be waited for without end.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(TokenError::NoFile);
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        let bare = bytes.trim_ascii();
        if bare.is_empty() {
            return Err(TokenError::Empty);
        }
        if !bare.iter().all(u8::is_ascii_graphic) {
            return Err(TokenError::Character);
        }
        let mut header = HeaderValue::from_bytes(bare).map_err(|_| TokenError::Character)?;
        header.set_sensitive(true);
        Ok(Token(header))
    }
}

impl Token {
    /// The value of the header that carries it.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// A text without this token, should it be in there: some servers repeat what they were sent. Where words were cut,
    /// its beginning counts too.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let Ok(token) = self.0.to_str() else { return REDACTED.to_owned() };
        let whole = text.replace(token, REDACTED);
        let mut pieces: Vec<String> = whole.split(CUT).map(str::to_owned).collect();
        let cut = pieces.len().saturating_sub(1);
        for piece in pieces.iter_mut().take(cut) {
            let is_its_end =
                |length: &usize| token.get(..*length).is_some_and(|start| piece.ends_with(start));
            if let Some(length) = (TELLING..token.len()).rev().find(is_its_end) {
                piece.truncate(piece.len() - length);
                piece.push_str(REDACTED);
            }
        }
        pieces.join(&CUT.to_string())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(content: &[u8]) -> Result<Token, FetchError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        TokenFile::new(path).read()
    }

    #[rstest]
    #[case(b"hunter2")]
    #[case(b"hunter2\n")]
    #[case(b"hunter2\r\n")]
    #[case(b" \t\r\n hunter2 \n\n")]
    fn white_space_around_a_token_is_none_of_it(#[case] content: &[u8]) {
        let token = read(content).unwrap();
        assert_eq!(token.header().to_str().unwrap(), "hunter2");
        assert!(token.header().is_sensitive());
        assert!(!format!("{token:?} {:?}", token.header()).contains("hunter2"));
    }

    #[rstest]
    #[case(b"", "is empty")]
    #[case(b" \r\n", "is empty")]
    #[case(b"hunter2\nhunter2", "more than one line")]
    #[case(b"token: hunter2", "more than one line or a character")]
    #[case(b"hunter2\0", "no header can carry")]
    #[case("hunter2é".as_bytes(), "no header can carry")]
    #[case(b"\xff\xfeh\0u\0n\0t\0e\0r\x002\0", "no header can carry")]
    #[case(&[b'h'; 4097], "longer than 4096 bytes")]
    fn what_is_no_token_is_refused_and_never_shown(#[case] content: &[u8], #[case] why: &str) {
        let error = read(content).unwrap_err();
        assert_eq!(error.failure, Failure::NoToken);
        assert!(error.detail.contains(why), "{error}");
        assert!(error.detail.contains("/token "), "the path is missing: {error}");
        assert!(!error.detail.contains("hunter2") && !error.detail.contains("hhhhh"), "{error}");
    }

    #[test]
    fn the_longest_token_is_one() {
        assert!(read(&[b'h'; 4096]).is_ok());
    }

    #[test]
    fn a_file_that_is_missing_or_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = TokenFile::new(folder.path().join("missing")).read().unwrap_err();
        assert!(missing.detail.contains("/missing cannot be read"), "{missing}");
        assert!(missing.detail.contains("mount the Secret"), "{missing}");
        let none = TokenFile::new(folder.path()).read().unwrap_err();
        assert!(none.detail.contains("is no file"), "{none}");
        assert!([missing.failure, none.failure].iter().all(|failure| *failure == Failure::NoToken));
    }

    #[test]
    fn a_secret_that_changes_counts_from_the_next_reading_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = TokenFile::new(&path);
        fs::write(&path, "old\n").unwrap();
        let old = file.read().unwrap();
        fs::write(&path, "new\n").unwrap();
        assert_ne!(file.read().unwrap(), old);
        assert_eq!(file.read().unwrap().header(), "new");
    }

    #[test]
    fn a_text_is_shown_without_the_token() {
        let token = read(b"hunter2").unwrap();
        assert_eq!(token.redact("bad key hunter2: hunter2"), "bad key [token]: [token]");
        assert_eq!(token.redact("No recent data"), "No recent data");
        assert_eq!(
            token.redact("bad key hunter…; see hunt… and hun…"),
            "bad key [token]…; see [token]… and hun…"
        );
        assert_eq!(token.redact("a hunter… hunter2… hunter"), "a [token]… [token]… hunter");
    }
}
