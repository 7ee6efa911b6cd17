//! Text in as many lines as it needs.

use crate::report::plot::width;

/// A space at which no line ends.
pub(super) const TIE: char = '\u{a0}';

/// The text in lines of at most `room` logical pixels, at most `most` of them. What is too long for
/// that ends in `…`.
pub(super) fn lines(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace(TIE, " ")) {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => *line = format!("{line} {word}"),
            _ => lines.push(word),
        }
    }
    let cut = lines.len() > most;
    lines.truncate(most);
    let last = lines.len().saturating_sub(1);
    for (place, line) in lines.iter_mut().enumerate() {
        let end = if cut && place == last { "…" } else { "" };
        let whole = format!("{line}{end}");
        *line = if width(&whole, size) <= room { whole } else { shortened(line, size, room) };
    }
    lines
}

/// As much of a text as fits, and `…`.
fn shortened(text: &str, size: f64, room: f64) -> String {
    let mut kept: Vec<char> = text.chars().collect();
    while kept.len() > 1 && width(&ended(&kept), size) > room {
        kept.pop();
    }
    ended(&kept)
}

fn ended(kept: &[char]) -> String {
    format!("{}…", kept.iter().collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_on_the_next_line_and_what_is_left_is_cut() {
        let room = width("aaaa bbbb", 10.0);
        assert_eq!(lines("aaaa bbbb", 10.0, room, 2), ["aaaa bbbb"]);
        assert_eq!(lines("aaaa bbbb cc", 10.0, room, 2), ["aaaa bbbb", "cc"]);
        assert_eq!(lines("aaaa bbbb aaaa bb cccc", 10.0, room, 2), ["aaaa bbbb", "aaaa bb…"]);
        assert_eq!(lines("", 10.0, room, 2), Vec::<String>::new());
        assert_eq!(lines(&format!("aaaa bbbb{TIE}c"), 10.0, room, 2), ["aaaa", "bbbb c"]);
    }

    #[test]
    fn a_word_that_is_too_long_is_cut() {
        let [line] = &lines("aaaaaaaaaaaaaaaaaaaaaa", 10.0, 40.0, 3)[..] else { panic!("several lines") };
        assert!(line.ends_with('…') && width(line, 10.0) <= 40.0, "{line}");
    }
}
