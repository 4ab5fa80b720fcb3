//! Counts the lines of a text as an editor does.

/// Counts lines, blank ones too, which the reader of CSV takes as part of the row after them.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    /// Counted up to here.
    byte: usize,
    /// The line of that byte, from 1.
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, byte: 0, line: 1 }
    }

    /// The line of a row, which lies after all those asked about before.
    pub(super) fn of(&mut self, row: Option<&csv::Position>) -> u64 {
        let from = row.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.byte);
        let to_come = |byte| self.text.get(byte..).unwrap_or_default();
        let blank = to_come(from).iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = to_come(self.byte).get(..(from + blank).saturating_sub(self.byte)).unwrap_or_default();
        let mut after = passed.iter().skip(1).chain([&0]);
        let ends = passed.iter().filter(|byte| {
            let next = after.next();
            **byte == b'\n' || **byte == b'\r' && next != Some(&b'\n')
        });
        self.line += ends.count() as u64;
        self.byte = self.byte.max(from + blank);
        self.line
    }
}
