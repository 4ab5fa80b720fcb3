//! What a process does of all there is to do.

/// Its part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything; of several such processes on one store, one collects.
    #[default]
    All,
    /// Answers for pods. Others collect for it.
    Webhook,
    /// Collects. Others answer for pods.
    Controller,
}

impl Role {
    pub(super) const fn decides(self) -> bool {
        matches!(self, Self::All | Self::Webhook)
    }

    pub(super) const fn collects(self) -> bool {
        matches!(self, Self::All | Self::Controller)
    }
}
