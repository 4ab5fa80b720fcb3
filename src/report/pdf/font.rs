//! The two fonts every PDF reader has, Helvetica and Helvetica-Bold: how wide their characters are, and how text is coded.
//!
//! Widths in thousandths of the size, from Adobe's font metrics ("Core 14 AFM files", which "may be used, copied, and
//! distributed for any purpose"). Only what WinAnsi has of ASCII, Latin-1 and the few signs below can be written; anything else
//! becomes a question mark.

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

/// Characters 32 to 126.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// Wider than nearly all of Latin-1 beyond ASCII: such text is placed a little too loosely, and never overlaps.
const LATIN: u16 = 722;
const ELLIPSIS: (char, u8, u16) = ('\u{2026}', 0x85, 1000);

impl Face {
    /// Width in points.
    pub(super) fn width(self, text: &str, size: f32) -> f32 {
        let widths = if self == Self::Bold { &BOLD } else { &REGULAR };
        let of = |code: &u8| match code {
            32..=126 => widths[usize::from(code - 32)],
            code if *code == ELLIPSIS.1 => ELLIPSIS.2,
            _ => LATIN,
        };
        let thousandths: u32 = encoded(text).iter().map(|code| u32::from(of(code))).sum();
        thousandths as f32 * size / 1000.0
    }

    /// The beginning of a text, with an ellipsis where it is wider.
    pub(super) fn shortened(self, text: &str, size: f32, most: f32) -> String {
        if self.width(text, size) <= most {
            return text.to_owned();
        }
        let mut kept = text.to_owned();
        while kept.pop().is_some() {
            let with = format!("{}{}", kept.trim_end(), ELLIPSIS.0);
            if self.width(&with, size) <= most {
                return with;
            }
        }
        String::new()
    }

    /// Breaks a text between words; a word that is wider than a line is broken within.
    pub(super) fn wrapped(self, text: &str, size: f32, most: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&joined, size) <= most {
                line = joined;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for character in word.chars() {
                line.push(character);
                if self.width(&line, size) > most && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, character.to_string()));
                }
            }
        }
        lines.push(line);
        lines
    }
}

/// A text in WinAnsi.
pub(super) fn encoded(text: &str) -> Vec<u8> {
    let code = |character: char| match character {
        ' '..='~' => character as u8,
        '\u{a1}'..='\u{ff}' => u8::try_from(u32::from(character)).unwrap_or(b'?'),
        character if character == ELLIPSIS.0 => ELLIPSIS.1,
        _ => b'?',
    };
    text.chars().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_metrics() {
        assert!((Face::Regular.width("Hello", 10.0) - 22.78).abs() < 1e-4);
        assert!((Face::Bold.width("Wi~", 1000.0) - (944.0 + 278.0 + 584.0)).abs() < 1e-3);
    }

    #[test]
    fn what_is_too_wide_is_shortened_or_broken_and_fits() {
        let face = Face::Regular;
        let short = face.shortened("a-very-long-namespace-name", 8.0, 50.0);
        assert!(short.ends_with('\u{2026}') && face.width(&short, 8.0) <= 50.0, "{short}");
        assert_eq!(face.shortened("short", 8.0, 50.0), "short");
        let hash = "f".repeat(64);
        let lines = face.wrapped(&format!("replica: {hash} end"), 8.0, 60.0);
        assert!(lines.iter().all(|line| face.width(line, 8.0) <= 60.0), "{lines:?}");
        assert_eq!(lines.concat().matches('f').count(), 64);
    }

    #[test]
    fn text_is_winansi_and_what_it_lacks_is_a_question_mark() {
        assert_eq!(encoded("a\u{2026}\u{e9}\u{4e16}\n"), [b'a', 0x85, 0xe9, b'?', b'?']);
    }
}
