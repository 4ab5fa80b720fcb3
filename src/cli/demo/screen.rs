//! What the demo prints, scene by scene, in 80 columns.

use std::io::{Error, Stdout, Write as _};

use super::running::Admission;
use crate::cli::show::{self, COLUMNS, Style, patch};

const INDENT: &str = "  ";

/// Whether to print a patch to the last byte, or only the operation that places the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatchDetail {
    Whole,
    Affinity,
}

/// Standard output. Each line is written at once, so that the demo is seen as it goes on.
#[derive(Debug)]
pub(super) struct Screen {
    out: Stdout,
    style: Style,
}

impl Screen {
    pub(super) fn stdout() -> Self {
        Self { out: std::io::stdout(), style: Style::of_stdout() }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, text: &str) -> std::io::Result<()> {
        let written = writeln!(self.out, "{text}");
        written.map_err(|error| Error::new(error.kind(), format!("standard output: {error}")))
    }

    /// Lines, indented.
    pub(super) fn lines(&mut self, lines: &[impl AsRef<str>]) -> std::io::Result<()> {
        lines.iter().map(AsRef::as_ref).try_for_each(|line| match line {
            "" => self.line(""),
            line => self.line(&format!("{INDENT}{line}")),
        })
    }

    /// The title over everything.
    pub(super) fn title(&mut self, text: &str) -> std::io::Result<()> {
        let (text, rule) = (self.style.bold(text), self.style.dim(&"=".repeat(COLUMNS)));
        self.line(&format!("{text}\n{rule}"))
    }

    /// The heading of a part.
    pub(super) fn heading(&mut self, text: &str) -> std::io::Result<()> {
        let (text, rule) = (self.style.bold(text), self.style.dim(&"-".repeat(COLUMNS)));
        self.line(&format!("\n{text}\n{rule}"))
    }

    /// A scene's heading with what it claims.
    pub(super) fn scene(&mut self, number: u8, heading: &str, claim: &[&str]) -> std::io::Result<()> {
        self.heading(&format!("{number}  {heading}"))?;
        self.lines(claim)?;
        self.line("")
    }

    /// A table, its heading set apart.
    pub(super) fn table(&mut self, lines: &[String]) -> std::io::Result<()> {
        let Some((heading, rows)) = lines.split_first() else { return Ok(()) };
        let heading = self.style.dim(heading);
        self.lines(&[heading])?;
        self.lines(rows)
    }

    /// A decision with every term, and the patch.
    pub(super) fn admission(&mut self, admission: &Admission, detail: PatchDetail) -> std::io::Result<()> {
        let lines = show::decision(&admission.record, &admission.warnings, self.style);
        self.lines(&lines)?;
        self.patch(&admission.patch, detail)
    }

    /// A pod that is left alone, in two lines.
    pub(super) fn left_alone(&mut self, number: u8, admission: &Admission) -> std::io::Result<()> {
        let Admission { record, patch, .. } = admission;
        let patch = if patch.is_empty() { "no patch" } else { "patched" };
        let pod = self.style.bold(&format!("{number}  {}/{}", record.namespace, record.pod));
        self.line(&format!("{pod}  left as it came ({}), {patch}", record.reason))?;
        self.line(&format!("   {}.", show::why(&record.reason)))
    }

    fn patch(&mut self, operations: &[patch::Operation], detail: PatchDetail) -> std::io::Result<()> {
        const DEEPER: &str = "    ";
        if operations.is_empty() {
            return self.lines(&[format!("{INDENT}no patch")]);
        }
        let whole = detail == PatchDetail::Whole;
        let shown: Vec<&patch::Operation> =
            operations.iter().filter(|operation| whole || operation.path.starts_with("/spec/")).collect();
        let count = operations.len();
        let what = match count - shown.len() {
            0 => format!("JSON patch, {count} operations:"),
            more => {
                format!("JSON patch, {count} operations ({more} of them, label and annotations, not shown):")
            }
        };
        self.lines(&[format!("{INDENT}{what}")])?;
        for operation in shown {
            for line in patch::lines(operation, COLUMNS - INDENT.len() - DEEPER.len()) {
                self.line(&format!("{INDENT}{DEEPER}{line}"))?;
            }
        }
        Ok(())
    }
}
