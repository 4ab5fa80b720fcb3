//! One link to Redis, from its first word to its first failure: a connection for commands, and one that listens.
//!
//! It is never mended: what fails is dropped, and the store makes a new one. So nothing queues up on a connection that
//! is down, each one starts with the password as it is now, and no refusal is final. (One connection could do both with
//! RESP3, but there fred writes the password into a line of text, where one with a space in it is cut in two.)

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use fred::clients::Client;
use fred::interfaces::{ClientLike as _, EventInterface as _, LuaInterface as _, PubsubInterface as _};
use fred::types::config::{Config, Server};
use fred::types::{Builder, ClusterHash, CustomCommand, Message, Resp3Frame, Value};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::options::{Target, Timing};
use super::{fault, scripts};
use crate::store::{EntryId, StoreError};

/// More commands than this process ever has under way.
const MOST_COMMANDS: usize = 256;

/// What moves the bytes of a connection; its sockets close with it.
type Moving = AbortOnDropHandle<Result<(), fred::error::Error>>;

/// A link.
pub(super) struct Link {
    commands: Client,
    _listener: Client,
    _moving: [Moving; 2],
    address: String,
    command: Duration,
    broken: CancellationToken,
    why: OnceLock<StoreError>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What comes in without being asked for.
pub(super) struct Incoming {
    messages: broadcast::Receiver<Message>,
    errors: [Errors; 2],
}

type Errors = broadcast::Receiver<(fred::error::Error, Option<Server>)>;

impl Link {
    /// Connects, and asks for announcements.
    pub(super) async fn open(target: &Target, timing: &Timing) -> Result<(Self, Incoming), StoreError> {
        let address = target.address.as_str();
        let opening = async {
            let config = target.config()?;
            let (commands, listener) =
                tokio::try_join!(connect(config.clone(), timing, address), connect(config, timing, address))?;
            let messages = listener.client.message_rx();
            let subscribed = listener.client.subscribe(scripts::VERSIONS).await;
            subscribed.map_err(|error| fault::of(&error, address))?;
            Ok((commands, listener, messages))
        };
        // Each host may keep us waiting before the next is tried.
        let allowance = timing.connect.saturating_mul(target.hosts());
        let (commands, listener, messages) =
            timeout(allowance, opening).await.map_err(|_| fault::silent(address))??;
        let link = Self {
            commands: commands.client,
            _listener: listener.client,
            _moving: [commands.moving, listener.moving],
            address: address.to_owned(),
            command: timing.command,
            broken: CancellationToken::new(),
            why: OnceLock::new(),
        };
        Ok((link, Incoming { messages, errors: [commands.errors, listener.errors] }))
    }

    /// Runs a script. A failure that is not of the script's own is the end of the connection.
    pub(super) async fn eval(
        &self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Bytes>,
    ) -> Result<Reply, StoreError> {
        let result = Box::pin(self.ask(script, keys, arguments)).await.map_err(|(error, _)| error);
        if let Err(error) = &result
            && fault::ends_connection(error)
        {
            self.end(error.clone());
        }
        result
    }

    /// The same for what others can do without: a word of the server's own, such as that it has no room left, is not the
    /// end of the connection.
    pub(super) async fn eval_aside(
        &self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Bytes>,
    ) -> Result<Reply, StoreError> {
        let result = Box::pin(self.ask(script, keys, arguments)).await;
        result.map_err(|(error, is_the_servers_word)| self.aside(error, is_the_servers_word))
    }

    /// Entries of a stream by the server's own command: a script would copy each of them twice more. Else as
    /// [`Link::eval_aside`].
    pub(super) async fn entries(
        &self,
        key: &str,
        from: EntryId,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let command = CustomCommand::new_static("XRANGE", ClusterHash::FirstKey, false);
        let arguments =
            vec![key.to_owned(), from.to_string(), "+".to_owned(), "COUNT".to_owned(), limit.to_string()];
        let asked = async {
            match self.commands.custom_raw(command, arguments).await? {
                Resp3Frame::Array { data, .. } => Ok(Some(data)),
                // An error is told as one.
                other => Value::try_from(other).map(|_| None),
            }
        };
        let answer = match timeout(self.command, Box::pin(asked)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.details().contains("WRONGTYPE") => {
                return Err(StoreError::Foreign { key: key.to_owned(), found: "no stream".to_owned() });
            }
            Ok(Err(error)) => {
                let is_the_servers_word = fault::is_the_servers_word(&error);
                return Err(self.aside(fault::of(&error, &self.address), is_the_servers_word));
            }
            Err(_) => return Err(self.aside(fault::silent(&self.address), false)),
        };
        let entries = answer.and_then(|entries| entries.into_iter().map(entry).collect());
        entries.ok_or_else(|| self.strange())
    }

    fn aside(&self, error: StoreError, is_the_servers_word: bool) -> StoreError {
        if fault::ends_connection(&error) && !is_the_servers_word {
            self.end(error.clone());
        }
        error
    }

    /// What a script answers; an error with whether it is the server's own word.
    async fn ask(
        &self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Bytes>,
    ) -> Result<Reply, (StoreError, bool)> {
        let asked = self.commands.eval::<Vec<Bytes>, _, _, _>(script, keys, arguments);
        match timeout(self.command, asked).await {
            Ok(Ok(words)) => Reply(words).own().map_err(|error| (error, true)),
            Ok(Err(error)) => Err((fault::of(&error, &self.address), fault::is_the_servers_word(&error))),
            Err(_) => Err((fault::silent(&self.address), false)),
        }
    }

    /// An answer that is none of ours ends the connection like one that does not come.
    pub(super) fn strange(&self) -> StoreError {
        let error = fault::strange(&self.address);
        self.end(error.clone());
        error
    }

    fn lost(&self, error: Result<(fred::error::Error, Option<Server>), RecvError>) -> StoreError {
        let error = error
            .map_or_else(|_| fault::silent(&self.address), |(error, _)| fault::of(&error, &self.address));
        self.end(error.clone());
        error
    }

    fn end(&self, why: StoreError) {
        let _ = self.why.set(why);
        self.broken.cancel();
    }

    /// Why the connection is of no more use, once it is not.
    pub(super) fn ended(&self) -> Option<StoreError> {
        self.why.get().cloned()
    }

    /// Until something was announced.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(super) async fn hear(&self, incoming: &mut Incoming) -> Result<Announced, StoreError> {
        let [of_commands, of_listener] = &mut incoming.errors;
        tokio::select! {
            () = self.broken.cancelled() => Err(self.ended().unwrap_or_else(|| fault::strange(&self.address))),
            error = of_commands.recv() => Err(self.lost(error)),
            error = of_listener.recv() => Err(self.lost(error)),
            message = incoming.messages.recv() => Ok(match message {
                Ok(message) => Announced { version: message.value.as_u64() },
                // More than we could read: some version is among them.
                Err(_) => Announced { version: None },
            }),
        }
    }
}

/// An entry's id, and its line; empty for an entry that is none of ours.
fn entry(entry: Resp3Frame) -> Option<(Bytes, Bytes)> {
    let [id, fields] = <[Resp3Frame; 2]>::try_from(array(entry)?).ok()?;
    let fields: Vec<Bytes> = array(fields)?.into_iter().filter_map(text).collect();
    let line = match <[Bytes; 2]>::try_from(fields) {
        Ok([name, line]) if name == scripts::LINE => line,
        _ => Bytes::new(),
    };
    Some((text(id)?, line))
}

fn array(frame: Resp3Frame) -> Option<Vec<Resp3Frame>> {
    if let Resp3Frame::Array { data, .. } = frame { Some(data) } else { None }
}

fn text(frame: Resp3Frame) -> Option<Bytes> {
    if let Resp3Frame::BlobString { data, .. } = frame { Some(data) } else { None }
}

struct Connection {
    client: Client,
    moving: Moving,
    errors: Errors,
}

async fn connect(config: Config, timing: &Timing, address: &str) -> Result<Connection, StoreError> {
    let mut builder = Builder::from_config(config);
    builder.with_connection_config(|connection| {
        connection.connection_timeout = timing.connect;
        connection.internal_command_timeout = timing.connect;
        connection.max_command_attempts = 1;
        connection.max_command_buffer_len = MOST_COMMANDS;
    });
    let client = builder.build().map_err(|error| fault::of(&error, address))?;
    let (mut connected, errors) = (client.reconnect_rx(), client.error_rx());
    let mut moving = AbortOnDropHandle::new(client.connect());
    tokio::select! {
        ended = &mut moving => Err(match ended {
            Ok(Err(error)) => fault::of(&error, address),
            Ok(Ok(())) | Err(_) => fault::strange(address),
        }),
        _ = connected.recv() => Ok(Connection { client, moving, errors }),
    }
}

/// That there is a new version.
pub(super) struct Announced {
    /// Which, if it was said legibly.
    pub(super) version: Option<u64>,
}

/// What a script answers: a word that says what it did, and what goes with it.
pub(super) struct Reply(Vec<Bytes>);

impl Reply {
    /// All scripts say alike what is not ours.
    fn own(self) -> Result<Self, StoreError> {
        match (self.word(), self.text(1), self.text(2)) {
            ("foreign", Some(key), Some(found)) => {
                Err(StoreError::Foreign { key: key.to_owned(), found: found.to_owned() })
            }
            _ => Ok(self),
        }
    }

    pub(super) fn word(&self) -> &str {
        self.text(0).unwrap_or_default()
    }

    pub(super) fn text(&self, index: usize) -> Option<&str> {
        std::str::from_utf8(self.bytes(index)?).ok()
    }

    pub(super) fn number(&self, index: usize) -> Option<u64> {
        self.text(index)?.parse().ok()
    }

    pub(super) fn bytes(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index).map(Bytes::as_ref)
    }

    /// All but the word.
    pub(super) fn rest(&self) -> &[Bytes] {
        self.0.get(1..).unwrap_or_default()
    }
}
