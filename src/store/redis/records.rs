//! Decision records in Redis: a stream a chain, whose ids are the records' numbers, and a set of the chains' names.
//!
//! What fails here is told to the caller, and ends the connection only when the connection itself failed: a server without
//! room for records still has grid data to share.

use bytes::Bytes;
use jiff::Timestamp;

use super::{RedisStore, scripts};
use crate::store::{EntryId, RecordsError, StoreError, StoredRecord};

impl RedisStore {
    pub(in crate::store) async fn append_records(
        &self,
        chain: &str,
        records: &[(u64, Bytes)],
    ) -> Result<(), RecordsError> {
        let mut arguments = vec![Bytes::copy_from_slice(chain.as_bytes())];
        for (seq, line) in records {
            arguments.extend([seq.to_string().into(), line.clone()]);
        }
        let link = self.0.link().await?;
        let reply = link.eval_aside(scripts::APPEND, both_keys(chain), arguments).await?;
        match (reply.word(), reply.number(1)) {
            ("done", _) => Ok(()),
            ("full", _) => Err(RecordsError::Full),
            ("conflict", Some(seq)) => Err(RecordsError::Conflict { key: scripts::records(chain), seq }),
            _ => Err(link.strange().into()),
        }
    }

    pub(in crate::store) async fn last_record(
        &self,
        chain: &str,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let link = self.0.link().await?;
        let reply = link.eval_aside(scripts::LAST_RECORD, vec![scripts::records(chain)], Vec::new()).await?;
        match (reply.word(), reply.rest()) {
            ("none", _) => Ok(None),
            ("found", [id, line]) => Ok(Some(StoredRecord::new(id, line))),
            _ => Err(link.strange()),
        }
    }

    pub(in crate::store) async fn records(
        &self,
        chain: &str,
        from: EntryId,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let link = self.0.link().await?;
        let entries = link.entries(&scripts::records(chain), from, limit).await?;
        Ok(entries.iter().map(|(id, line)| StoredRecord::new(id, line)).collect())
    }

    pub(in crate::store) async fn chains(&self) -> Result<Vec<String>, StoreError> {
        let link = self.0.link().await?;
        let reply =
            link.eval_aside(scripts::CHAIN_NAMES, vec![scripts::CHAINS.to_owned()], Vec::new()).await?;
        if reply.word() != "found" {
            return Err(link.strange());
        }
        let mut names: Vec<String> =
            reply.rest().iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.sort();
        Ok(names)
    }

    pub(in crate::store) async fn time(&self) -> Result<Timestamp, StoreError> {
        let link = self.0.link().await?;
        // Any key of ours: it says which node of a cluster is asked.
        let reply = link.eval_aside(scripts::TIME, vec![scripts::CHAINS.to_owned()], Vec::new()).await?;
        let second = reply.number(1).and_then(|second| i64::try_from(second).ok());
        second.and_then(|second| Timestamp::from_second(second).ok()).ok_or_else(|| link.strange())
    }

    pub(in crate::store) async fn trim_records(
        &self,
        chain: &str,
        first_kept: u64,
        may_go: bool,
    ) -> Result<(), StoreError> {
        let link = self.0.link().await?;
        let may_go = if may_go { "yes" } else { "no" };
        let arguments = vec![
            Bytes::copy_from_slice(chain.as_bytes()),
            first_kept.to_string().into(),
            Bytes::from_static(may_go.as_bytes()),
        ];
        let reply = link.eval_aside(scripts::TRIM_RECORDS, both_keys(chain), arguments).await?;
        if reply.word() == "done" { Ok(()) } else { Err(link.strange()) }
    }
}

fn both_keys(chain: &str) -> Vec<String> {
    vec![scripts::records(chain), scripts::CHAINS.to_owned()]
}
