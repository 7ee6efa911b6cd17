//! Text files as people's tools write them: a byte order mark at the start is passed over.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// UTF-8's byte order mark, with which Windows' Notepad and Excel start a file.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a UTF-8 text file, without its byte order mark.
///
/// # Errors
/// Where the file can't be read or is no UTF-8; of UTF-16 the message says so.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)?;
    if let Some(problem) = other_encoding(&bytes) {
        return Err(Error::new(ErrorKind::InvalidData, problem));
    }
    // As the standard library says it of files that it reads.
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Says which encoding the start of a file is of, where it is one of 16 bits.
pub(crate) fn other_encoding(start: &[u8]) -> Option<&'static str> {
    let marked = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    // Text of the Latin alphabet without a mark: each second byte is 0.
    let unmarked = matches!(start, [first, second, ..] if (*first == 0) != (*second == 0));
    (marked || unmarked).then_some("is text in UTF-16 (Notepad's \"Unicode\"); save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> std::result::Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mark_is_passed_over_once_and_at_the_start_only() {
        assert_eq!(of(b"\xef\xbb\xbfa\r\n").unwrap(), "a\r\n");
        assert_eq!(of(b"\xef\xbb\xbf\xef\xbb\xbfa").unwrap(), "\u{feff}a");
        assert_eq!(of("a\u{feff}".as_bytes()).unwrap(), "a\u{feff}");
        assert_eq!(of(b"\xef\xbb\xbf").unwrap(), "");
        assert_eq!(of(b"").unwrap(), "");
    }

    #[test]
    fn utf_16_is_named() {
        for bytes in [b"\xff\xfea\0b\0".as_slice(), b"\xfe\xff\0a\0b", b"a\0b\0", b"\0a\0b"] {
            assert_eq!(of(bytes).unwrap_err(), "is text in UTF-16 (Notepad's \"Unicode\"); save it as UTF-8");
        }
        assert_eq!(of(b"caf\xe9").unwrap_err(), "stream did not contain valid UTF-8");
    }
}
