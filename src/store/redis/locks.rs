//! Locks in Redis: who collects, and who accounts. Each is a text that expires, its holder's token.

use super::{RedisStore, scripts};
use crate::store::{Leadership, StoreError};

impl RedisStore {
    pub(in crate::store) async fn lead(&self) -> Result<Leadership, StoreError> {
        let leadership = self.lead_by(scripts::LOCK).await;
        if matches!(leadership, Ok(Leadership::Theirs(_))) {
            // What another one writes meanwhile we do not see.
            self.0.forget_written();
        }
        leadership
    }

    pub(super) async fn lead_by(&self, lock: &str) -> Result<Leadership, StoreError> {
        let link = self.0.link().await?;
        let period = self.0.timing.lock_period.as_millis().to_string();
        let arguments = vec![self.0.token.clone().into(), period.into()];
        let reply = link.eval(scripts::LEAD, vec![lock.to_owned()], arguments).await?;
        match (reply.word(), reply.text(1)) {
            ("ours", _) => Ok(Leadership::Ours),
            ("theirs", Some(token)) => {
                let name = token.rsplit_once(' ').map_or(token, |(name, _)| name);
                Ok(Leadership::Theirs(name.to_owned()))
            }
            _ => Err(link.strange()),
        }
    }

    pub(in crate::store) async fn resign(&self) {
        self.resign_from(scripts::LOCK).await;
    }

    pub(super) async fn resign_from(&self, lock: &str) {
        // Without a connection the lock runs out by itself.
        let Some(link) = self.0.link.borrow().clone() else { return };
        let arguments = vec![self.0.token.clone().into()];
        if let Err(error) = link.eval(scripts::RESIGN, vec![lock.to_owned()], arguments).await {
            tracing::debug!(%error, "the lock was not given back");
        }
    }
}
