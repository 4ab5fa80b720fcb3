//! A ledger in Redis: what is said twice is stored once, what is not ours is left alone, and grid data keep their room.

use bytes::Bytes;
use eco_pulse::app::LedgerSource;
use eco_pulse::audit::file::FileOptions;
use eco_pulse::audit::read::{Span, Visitor};
use eco_pulse::audit::scan::{Scanner, Wanted};
use eco_pulse::audit::verify::{Finding, StoredLine, Verified, Verifier};
use eco_pulse::store::{EntryId, RecordsError, RedisStore, SnapshotStore, StoreError, StoreState};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::redis::RedisServer;
use crate::rig::{Kept, NOON, at, chains};

const KEY: &str = "{eco-pulse}:ledger:one";

/// A list of lines that a stream is made of.
const ORIGINALS: &str = "originals";
/// Makes the stream anew with one byte flipped: entries cannot be changed in their place, and whoever writes a stream anew
/// can do anything.
const FLIP: &str = "
redis.call('DEL', KEYS[1])
for seq, line in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if seq == tonumber(ARGV[1]) then
    local at = tonumber(ARGV[2])
    local flipped = string.char(bit.bxor(line:byte(at + 1), tonumber(ARGV[3])))
    line = line:sub(1, at) .. flipped .. line:sub(at + 2)
  end
  redis.call('XADD', KEYS[1], seq .. '-0', 'line', line)
end
";

/// A store that is in touch with a server.
struct Store(SnapshotStore, #[expect(dead_code, reason = "ends when it is dropped")] AbortOnDropHandle<()>);

impl Store {
    async fn of(server: &RedisServer) -> Self {
        let store = SnapshotStore::Redis(RedisStore::new(&server.options("test")).unwrap());
        let kept = store.clone();
        let running = tokio::spawn(async move { kept.run(CancellationToken::new()).await });
        store.state().wait_for(|state| *state == StoreState::Up).await.unwrap();
        Self(store, AbortOnDropHandle::new(running))
    }

    async fn verify(&self) -> Verified {
        let source = LedgerSource::Store(self.0.clone());
        source.read(Span::ALL, Verifier::new(None)).await.unwrap().finish()
    }
}

/// Records as the program writes them, with their numbers.
fn records(count: i64) -> Vec<(u64, Bytes)> {
    let kept = Kept::in_one_file();
    kept.written(count);
    let text: String = kept.paths().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().zip(1..).map(|(line, seq)| (seq, Bytes::copy_from_slice(line.as_bytes()))).collect()
}

#[tokio::test]
async fn a_chain_is_stored_once_however_often_it_is_said() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(5);
    for some in [&records[..3], &records[..3], &records[2..]] {
        store.0.append_records("one", some).await.unwrap();
    }
    assert_eq!(server.command(&["XLEN", KEY]), "5");
    assert_eq!(store.0.chains().await.unwrap(), ["one"]);
    let last = store.0.last_record("one").await.unwrap().unwrap();
    assert_eq!((last.seq, &last.line), (Some(5), &records[4].1));
    assert_eq!(chains(&store.verify().await), [("one", 5, true)]);
}

#[tokio::test]
async fn another_record_of_the_same_number_is_a_conflict_and_changes_nothing() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(3);
    store.0.append_records("one", &records).await.unwrap();
    for other in [(3, Bytes::from("{}")), (1, Bytes::from("{}"))] {
        let conflict = RecordsError::Conflict { key: KEY.to_owned(), seq: other.0 };
        assert_eq!(store.0.append_records("one", &[other]).await, Err(conflict));
    }
    assert_eq!(chains(&store.verify().await), [("one", 3, true)]);
}

/// A server that wrote to disk each second and was restarted, or another that took over.
#[tokio::test]
async fn a_chain_whose_end_the_store_has_lost_does_not_go_on_with_a_hole() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(6);
    store.0.append_records("one", &records[..4]).await.unwrap();
    server.command(&["XDEL", KEY, "3-0", "4-0"]);
    let conflict = RecordsError::Conflict { key: KEY.to_owned(), seq: 5 };
    assert_eq!(store.0.append_records("one", &records[4..]).await, Err(conflict));
    assert_eq!(chains(&store.verify().await), [("one", 2, true)]);
    // One that says after which it was kept leaves an honest gap; so does what is new to an empty stream.
    let told = |seq: u64| {
        let hash = "a".repeat(64);
        Bytes::from(format!(
            r#"{{"seq":5,"pod":"x","stored":{{"seq":{seq},"hash":"{hash}"}},"prev":"{hash}","hash":"{hash}"}}"#
        ))
    };
    let conflict = RecordsError::Conflict { key: KEY.to_owned(), seq: 5 };
    assert_eq!(store.0.append_records("one", &[(5, told(1))]).await, Err(conflict));
    store.0.append_records("one", &[(5, told(2)), records[5].clone()]).await.unwrap();
    assert_eq!(server.command(&["XLEN", KEY]), "4");
    store.0.append_records("two", &records[3..]).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_not_ours_is_said_and_never_overwritten() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    server.command(&["SET", KEY, "theirs"]);
    let foreign = StoreError::Foreign { key: KEY.to_owned(), found: "a string".to_owned() };
    assert_eq!(store.0.append_records("one", &records(1)).await, Err(foreign.clone().into()));
    assert_eq!(store.0.last_record("one").await, Err(foreign));
    let read = store.0.records("one", EntryId::default(), 10).await;
    assert!(matches!(read, Err(StoreError::Foreign { .. })), "{read:?}");
    assert_eq!(server.command(&["GET", KEY]), "theirs");
    assert_eq!(*store.0.state().borrow(), StoreState::Up, "grid data are none the worse for it");
}

#[tokio::test]
async fn a_flipped_byte_anywhere_is_found() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(3);
    store.0.append_records("one", &records).await.unwrap();
    for (_, line) in &records {
        server.command(&["RPUSH", ORIGINALS, std::str::from_utf8(line).unwrap()]);
    }
    let mut flipped = 0;
    for (seq, line) in &records {
        for at in 0..line.len() {
            let (seq, at, bit) = (seq.to_string(), at.to_string(), (1 << (at % 8)).to_string());
            server.command(&["EVAL", FLIP, "2", KEY, ORIGINALS, &seq, &at, &bit]);
            let verified = store.verify().await;
            assert!(!verified.is_whole(), "byte {at} of entry {seq}");
            let place = &verified.chains[0].broken.as_ref().unwrap().place;
            assert_eq!(*place, format!("{KEY}, entry {seq}-0"), "byte {at}");
            flipped += 1;
        }
    }
    assert!(flipped > 1500, "{flipped} bytes");
    server.command(&["EVAL", FLIP, "2", KEY, ORIGINALS, "0", "0", "0"]);
    assert_eq!(chains(&store.verify().await), [("one", 3, true)]);
}

#[tokio::test]
async fn a_renamed_field_a_missing_and_a_foreign_entry_are_found() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(4);
    let put = |lines: &[(String, &str)]| {
        server.command(&["DEL", KEY]);
        for (id, line) in lines {
            server.command(&["XADD", KEY, id, "line", line]);
        }
    };
    store.0.append_records("one", &records).await.unwrap();
    let lines: Vec<(String, &str)> =
        records.iter().map(|(seq, line)| (format!("{seq}-0"), std::str::from_utf8(line).unwrap())).collect();
    put(&lines[..3]);
    server.command(&["XADD", KEY, "4-0", "lime", lines[3].1]);
    let broken = store.verify().await.chains[0].broken.clone().unwrap();
    assert_eq!(broken.place, format!("{KEY}, entry 4-0"));
    put(&[&lines[..1], &lines[3..]].concat());
    let finding = store.verify().await.chains[0].broken.clone().unwrap().finding;
    assert_eq!(finding, Finding::Missing { from: 2, to: 3 });
    put(&lines);
    server.command(&["XADD", KEY, "4-1", "line", "hello"]);
    let broken = store.verify().await.chains[0].broken.clone().unwrap();
    assert_eq!((broken.finding, broken.place), (Finding::NotJson, format!("{KEY}, entry 4-1")));
    let largest = format!("{}-0", u64::MAX);
    server.command(&["XADD", KEY, &largest, "line", "hello"]);
    assert_eq!(store.verify().await.chains[0].records, 6, "the largest id there can be ends the reading");
}

/// Pages begin anywhere, also between a record and what somebody put behind it.
#[tokio::test]
async fn an_entry_that_is_none_of_ours_is_found_wherever_it_stands() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(203);
    for after in [99, 100, 101, 200] {
        server.command(&["DEL", KEY]);
        let (before, behind) = records.split_at(after);
        store.0.append_records("one", before).await.unwrap();
        server.command(&["XADD", KEY, &format!("{after}-1"), "line", "hello"]);
        for (seq, line) in behind {
            let line = std::str::from_utf8(line).unwrap();
            server.command(&["XADD", KEY, &format!("{seq}-0"), "line", line]);
        }
        let broken = store.verify().await.chains[0].broken.clone().unwrap();
        assert_eq!((broken.finding, broken.place), (Finding::NotJson, format!("{KEY}, entry {after}-1")));
    }
}

#[tokio::test]
async fn old_records_are_taken_off_and_a_chain_of_which_nothing_is_left_is_forgotten() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    store.0.append_records("one", &records(5)).await.unwrap();
    store.0.trim_records("one", 4, true).await.unwrap();
    let verified = store.verify().await;
    assert_eq!((chains(&verified), verified.chains[0].first_seq), (vec![("one", 2, true)], 4));
    store.0.trim_records("one", 6, false).await.unwrap();
    assert_eq!(store.0.chains().await.unwrap(), ["one"]);
    store.0.trim_records("one", 6, true).await.unwrap();
    assert_eq!(store.0.chains().await.unwrap(), Vec::<String>::new());
    assert_eq!(server.command(&["EXISTS", KEY]), "0");
}

#[tokio::test]
async fn records_leave_a_fifth_of_the_memory_to_grid_data() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    store.0.append_records("one", &records(1)).await.unwrap();
    let used: u64 = {
        let info = server.command(&["INFO", "memory"]);
        info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
    };
    server.command(&["CONFIG", "SET", "maxmemory", &(used * 11 / 10).to_string()]);
    assert_eq!(store.0.append_records("one", &records(2)[1..]).await, Err(RecordsError::Full));
    assert_eq!(*store.0.state().borrow(), StoreState::Up);
    assert_eq!(store.0.latest().await, Ok(None), "grid data are read and written as before");
}

#[tokio::test]
async fn one_wrong_time_hides_no_right_records() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let (noon, later) = (at(NOON), at("2036-01-01T00:00:00Z"));
    let kept = Kept::in_one_file();
    let options = FileOptions { segment_time: SignedDuration::MAX, ..kept.options() };
    kept.written_with(options, "one", [later, noon, noon].into_iter().chain([noon; 300]).chain([later]));
    let text = std::fs::read_to_string(&kept.file).unwrap();
    let records: Vec<_> =
        text.lines().zip(1..).map(|(line, seq)| (seq, Bytes::copy_from_slice(line.as_bytes()))).collect();
    store.0.append_records("one", &records).await.unwrap();
    let (from, to) = (at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z"));
    let scanner = Scanner::new(Wanted { from, to, namespace: None, projected: false });
    let source = LedgerSource::Store(store.0.clone());
    let scan = source.read(Span::around(from, to), scanner).await.unwrap().finish();
    assert_eq!(scan.records, 302);
}

/// Takes records off, as whoever trims does, when it has seen some.
struct Trimming {
    verifier: Verifier,
    store: SnapshotStore,
    runtime: tokio::runtime::Handle,
    lines: u64,
}

impl Visitor for Trimming {
    fn source(&mut self, name: &str) {
        self.verifier.source(name);
    }

    fn line(&mut self, line: StoredLine<'_>) {
        self.verifier.line(line);
        self.lines += 1;
        if self.lines == 1 {
            self.runtime.block_on(self.store.trim_records("one", 5000, false)).unwrap();
        }
    }

    fn forgotten(&mut self) {
        self.verifier.forgotten();
    }
}

#[tokio::test]
async fn what_is_taken_off_while_it_is_read_is_not_missing() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    let records = records(5100);
    for some in records.chunks(300) {
        store.0.append_records("one", some).await.unwrap();
    }
    let (verifier, runtime) = (Verifier::new(None), tokio::runtime::Handle::current());
    let trimming = Trimming { verifier, store: store.0.clone(), runtime, lines: 0 };
    let source = LedgerSource::Store(store.0.clone());
    let verified = source.read(Span::ALL, trimming).await.unwrap().verifier.finish();
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!((verified.chains[0].first_seq, verified.chains[0].head.seq), (5000, 5100));
}

#[tokio::test]
async fn a_long_chain_is_read_whole_and_from_the_middle() {
    let Some(server) = RedisServer::start() else { return };
    let store = Store::of(&server).await;
    // Two pages and a bit.
    let records = records(2100);
    for some in records.chunks(300) {
        store.0.append_records("one", some).await.unwrap();
    }
    assert_eq!(chains(&store.verify().await), [("one", 2100, true)]);
    let source = LedgerSource::Store(store.0.clone());
    let (first, last) = source.span().await.unwrap().unwrap();
    assert_eq!(last.duration_since(first), SignedDuration::from_secs(2099));
    let heads = source.heads().await.unwrap();
    assert_eq!(
        heads.iter().map(|head| (head.replica.as_str(), head.link.seq)).collect::<Vec<_>>(),
        [("one", 2100)]
    );
}
