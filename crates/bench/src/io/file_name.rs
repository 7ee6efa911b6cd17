//! Names of files that fit: no file system takes more than 255 bytes, and data sets, models and
//! configs are called as their owners like.

use sha2::{Digest, Sha256};

use crate::io::checksum::hex;

/// Most bytes of a name.
pub(crate) const MOST: usize = 255;

/// The file name of this stem and ending. Where it doesn't fit, the stem is cut, see [`within`].
pub(crate) fn fit(stem: &str, ending: &str) -> String {
    within(stem, MOST.saturating_sub(ending.len())) + ending
}

/// A name of at most so many bytes: as it is where it fits, else its beginning and a hash of all of
/// it, which tells it from others that begin so.
pub(crate) fn within(name: &str, most: usize) -> String {
    if name.len() <= most { name.to_owned() } else { marked(name, name, most) }
}

/// A name of at most so many bytes that ends in a hash of what it stands for.
pub(crate) fn marked(name: &str, of: &str, most: usize) -> String {
    let mark = format!("%~{}", &hex(&Sha256::digest(of))[..16]);
    let room = most.saturating_sub(mark.len()).min(name.len());
    let cut = (0..=room).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    format!("{}{mark}", &name[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        let longest = "x".repeat(251);
        for stem in ["", "a", "α = 2.6", &longest] {
            assert_eq!(fit(stem, ".png"), format!("{stem}.png"));
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_between_letters_and_told_apart() {
        // "sha256sum" of 252 times x begins with these 16 digits.
        let long = "x".repeat(252);
        let expected = format!("{}%~{}.png", "x".repeat(255 - 4 - 18), &hex(&Sha256::digest(&long))[..16]);
        assert_eq!(fit(&long, ".png"), expected);
        for letter in ["é", "猫", "🐈"] {
            let [one, other] = ["1", "2"].map(|end| fit(&(letter.repeat(120) + end), ".png"));
            assert!(one != other && one.starts_with(letter), "{one}");
            assert!((252..=255).contains(&one.len()) || letter.len() == 2, "{} bytes", one.len());
        }
        assert_eq!(fit(&long, &"y".repeat(237)).len(), 255);
    }
}
