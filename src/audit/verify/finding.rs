//! What a look at a chain can find, in words.

use std::fmt;

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The line has no end.
    CutShort,
    /// The line is no JSON.
    NotJson,
    /// The line is no record of ours.
    Foreign,
    /// The line is not as it was written.
    Changed,
    /// Records are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The record is there twice.
    Twice,
    /// The record comes too late.
    OutOfOrder {
        /// What it comes after.
        after: u64,
    },
    /// The record follows another one than the one before it.
    OtherPast,
    /// The first record follows one that cannot be.
    NoBeginning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("the line is cut short"),
            Self::NotJson => f.write_str("the line is no JSON: it was changed, or cut short"),
            Self::Foreign => f.write_str("the line is no record of this ledger"),
            Self::Changed => f.write_str("the line was changed: its hash is that of another text"),
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing before it"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing before it"),
            Self::Twice => f.write_str("the record is there twice"),
            Self::OutOfOrder { after } => write!(f, "the record is out of order: it comes after {after}"),
            Self::OtherPast => {
                f.write_str("it follows another record than the one before it, which was replaced")
            }
            Self::NoBeginning => f.write_str("it says to be the first record, and follows another"),
        }
    }
}

/// The first broken link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong.
    pub finding: Finding,
    /// Number of the record, where the line says one that can be believed.
    pub seq: Option<u64>,
    /// Number of the last record before it; `None` at the beginning.
    pub after: Option<u64>,
    /// The file and its line, or the stream and its entry.
    pub place: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        match (self.seq, self.after) {
            (Some(seq), _) => write!(f, ", record {seq}")?,
            (None, Some(after)) => write!(f, ", after record {after}")?,
            (None, None) => {}
        }
        write!(f, ": {}", self.finding)
    }
}

/// What is odd, and no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Older records are not kept any more.
    Begins {
        /// Number of the first that is.
        seq: u64,
    },
    /// Records were written and never reached the store, as a later one tells.
    NeverStored {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
        /// The record that tells.
        told_by: u64,
    },
    /// A record was made before the one before it: the clock was set back.
    ClockBack {
        /// The first such record.
        seq: u64,
    },
    /// Records of a newer release: their place in the chain is verified, what they say is not understood.
    Newer {
        /// The first of them.
        seq: u64,
        /// Its schema.
        schema: u32,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins { seq } => write!(f, "begins at record {seq}; older ones are not kept"),
            Self::NeverStored { from, to, told_by } if from == to => {
                write!(f, "record {from} never reached the store, as record {told_by} says")
            }
            Self::NeverStored { from, to, told_by } => {
                write!(f, "records {from} to {to} never reached the store, as record {told_by} says")
            }
            Self::ClockBack { seq } => write!(f, "the clock was set back before record {seq}"),
            Self::Newer { seq, schema } => {
                write!(f, "from record {seq} on there are records of a newer release (schema {schema})")
            }
        }
    }
}
