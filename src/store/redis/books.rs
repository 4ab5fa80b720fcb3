//! The accounts' books in Redis: a hash a table, and a version that only the holder of the lock moves.

use bytes::Bytes;

use super::{RedisStore, scripts};
use crate::accounts::stored::Put;
use crate::store::books::Entries;
use crate::store::{Leadership, StoreError};

/// Writes that one script makes. A set with more is refused before it is begun: it could not be written as a whole.
const MOST_WRITES: usize = 20_000;

impl RedisStore {
    pub(in crate::store) async fn lead_books(&self) -> Result<Leadership, StoreError> {
        self.lead_by(scripts::ACCOUNTANT).await
    }

    pub(in crate::store) async fn resign_books(&self) {
        self.resign_from(scripts::ACCOUNTANT).await;
    }

    pub(in crate::store) async fn books_version(&self) -> Result<u64, StoreError> {
        let link = self.0.link().await?;
        let reply = link.eval(scripts::BOOKS_VERSION, vec![scripts::BOOKS.to_owned()], Vec::new()).await?;
        match (reply.word(), reply.number(1)) {
            ("version", Some(version)) => Ok(version),
            _ => Err(link.strange()),
        }
    }

    pub(in crate::store) async fn books_table(&self, name: &str) -> Result<Entries, StoreError> {
        let link = self.0.link().await?;
        let (mut entries, mut cursor) = (Entries::new(), Bytes::from_static(b"0"));
        loop {
            let reply =
                link.eval(scripts::BOOKS_READ, vec![scripts::books_table(name)], vec![cursor]).await?;
            let ("found", Some(next)) = (reply.word(), reply.bytes(1)) else { return Err(link.strange()) };
            cursor = Bytes::copy_from_slice(next);
            let words = reply.rest().get(1..).unwrap_or_default();
            for pair in words.chunks_exact(2) {
                let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
                if let [field, value] = pair {
                    entries.push((text(field), text(value)));
                }
            }
            if &cursor[..] == b"0" {
                // A server that is making room may tell of an entry twice.
                entries.sort();
                entries.dedup_by(|one, other| one.0 == other.0);
                return Ok(entries);
            }
        }
    }

    pub(in crate::store) async fn write_books(&self, seen: u64, puts: &[Put]) -> Result<u64, StoreError> {
        if puts.len() > MOST_WRITES {
            let problem = format!("{} writes at once, and {MOST_WRITES} is the most", puts.len());
            return Err(StoreError::Unwritable(problem));
        }
        let link = self.0.link().await?;
        let mut keys = vec![scripts::ACCOUNTANT.to_owned(), scripts::BOOKS.to_owned()];
        let mut arguments: Vec<Bytes> = vec![self.0.token.clone().into(), seen.to_string().into()];
        for put in puts {
            let key = scripts::books_table(&put.table);
            let index = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            });
            let keep_until = put.keep_until.map(|until| until.as_millisecond().to_string());
            arguments.push((index + 1).to_string().into());
            arguments.push(put.field.clone().into());
            arguments.push(Bytes::from_static(if put.value.is_some() { b"set" } else { b"drop" }));
            arguments.push(put.value.clone().unwrap_or_default().into());
            arguments.push(keep_until.unwrap_or_default().into());
        }
        let reply = link.eval(scripts::BOOKS_WRITE, keys, arguments).await?;
        match (reply.word(), reply.number(1)) {
            ("written", Some(version)) => Ok(version),
            ("outdated", Some(stored)) => Err(StoreError::Outdated { seen, stored }),
            ("not-collector", _) => Err(StoreError::NotCollector),
            _ => Err(link.strange()),
        }
    }
}
