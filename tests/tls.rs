//! The server over real sockets: who is trusted, and that a new certificate or a shutdown costs no request.
//!
//! Bad certificate files and the time limits have their tests beside the code, the latter on a paused clock.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use eco_pulse::{
    http::server::{ConnectionLimits, ServeReport, Server, ShutdownStages, Transport, bind},
    tls::{CertificateResolver, Issued, client_config, issue, server_config},
};
use jiff::Timestamp;
use rstest::rstest;
use rustls::{
    ClientConfig, ProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const NOW: &str = "2026-03-01T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn issue_for(names: &[&str]) -> Issued {
    let hosts: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    issue(&hosts, now()).unwrap()
}

struct Running {
    addr: SocketAddr,
    stages: ShutdownStages,
    serving: JoinHandle<ServeReport>,
    entered: Arc<Notify>,
    gate: Arc<Notify>,
}

fn run(transport: Transport, limits: ConnectionLimits) -> Running {
    let (entered, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_entry, at_gate) = (Arc::clone(&entered), Arc::clone(&gate));
    let router = Router::new().route("/health", get(async || "ok")).route(
        "/gate",
        get(async move || {
            on_entry.notify_one();
            at_gate.notified().await;
            "ok"
        }),
    );
    let listener = bind("127.0.0.1:0".parse().unwrap(), "--webhook-addr").unwrap();
    let addr = listener.local_addr().unwrap();
    let stages = ShutdownStages::default();
    let server = Server { name: "test", transport, limits, stages: stages.clone() };
    Running { addr, stages, serving: tokio::spawn(server.serve(listener, router)), entered, gate }
}

fn run_tls(resolver: &Arc<CertificateResolver>) -> Running {
    run(Transport::Tls(server_config(Arc::clone(resolver), None).unwrap()), ConnectionLimits::default())
}

/// A clock that stands still, for certificates that are valid at a fixed date.
#[derive(Debug)]
struct AtNow;

impl TimeProvider for AtNow {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now().as_second().try_into().ok()?)))
    }
}

/// A client that trusts what `authority` vouches for.
fn client(authority: &Issued) -> ClientConfig {
    let mut config = Arc::unwrap_or_clone(client_config(authority.authority_pem().as_bytes()).unwrap());
    config.time_provider = Arc::new(AtNow);
    config
}

async fn connect(
    addr: SocketAddr,
    config: ClientConfig,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(addr).await?).await
}

async fn get_path(io: &mut TlsStream<TcpStream>, path: &str) -> std::io::Result<String> {
    io.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await?;
    answer(io).await
}

async fn answer(io: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\nok") {
        if io.read_buf(&mut text).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8(text).unwrap())
}

fn leaf(io: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    io.get_ref().1.peer_certificates().unwrap().first().unwrap().clone().into_owned()
}

#[tokio::test]
async fn the_authority_vouches_for_every_name_and_address_given_and_no_other() {
    let issued = issue_for(&["localhost", "eco-pulse.eco-pulse.svc", "*.example.org", "127.0.0.1", "::1"]);
    let running = run_tls(&CertificateResolver::new(issued.certificate().unwrap()));
    for name in ["localhost", "eco-pulse.eco-pulse.svc", "a.example.org", "127.0.0.1", "::1"] {
        let mut io = connect(running.addr, client(&issued), name).await.unwrap();
        assert!(get_path(&mut io, "/health").await.unwrap().starts_with("HTTP/1.1 200"), "{name}");
    }
    for name in ["other.test", "10.0.0.7", "a.b.example.org"] {
        let error = connect(running.addr, client(&issued), name).await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{name}: {error}");
    }
}

#[tokio::test]
async fn another_authority_does_not_vouch_for_it() {
    let (issued, stranger) = (issue_for(&["localhost"]), issue_for(&["localhost"]));
    let running = run_tls(&CertificateResolver::new(issued.certificate().unwrap()));
    let error = connect(running.addr, client(&stranger), "localhost").await.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn speaks_tls_1_2_and_1_3_and_http_2_by_alpn() {
    let issued = issue_for(&["localhost"]);
    let running = run_tls(&CertificateResolver::new(issued.certificate().unwrap()));
    for (version, expected) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(issued.authority_pem().as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(eco_pulse::tls::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.time_provider = Arc::new(AtNow);
        let mut io = connect(running.addr, config, "localhost").await.unwrap();
        get_path(&mut io, "/health").await.unwrap();
        assert_eq!(io.get_ref().1.protocol_version(), Some(expected));
    }
    let mut config = client(&issued);
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let io = connect(running.addr, config, "localhost").await.unwrap();
    assert_eq!(io.get_ref().1.alpn_protocol(), Some(&b"h2"[..]), "the server prefers HTTP/2");
}

#[tokio::test]
async fn a_swap_shows_new_connections_the_new_leaf_and_keeps_open_ones() {
    let (old, new) = (issue_for(&["localhost"]), issue_for(&["localhost"]));
    let resolver = CertificateResolver::new(old.certificate().unwrap());
    let running = run_tls(&resolver);
    let mut open = connect(running.addr, client(&old), "localhost").await.unwrap();
    get_path(&mut open, "/health").await.unwrap();

    let replacement = new.certificate().unwrap();
    let expected = replacement.certified_key().cert.first().unwrap().clone();
    resolver.swap(replacement);

    assert!(
        get_path(&mut open, "/health").await.unwrap().starts_with("HTTP/1.1 200"),
        "the open connection goes on"
    );
    let next = connect(running.addr, client(&new), "localhost").await.unwrap();
    assert_eq!(leaf(&next), expected);
    assert_ne!(leaf(&open), expected);
    connect(running.addr, client(&old), "localhost").await.unwrap_err();
}

#[tokio::test]
async fn a_handshake_that_never_completes_is_ended_by_the_server() {
    let issued = issue_for(&["localhost"]);
    let resolver = CertificateResolver::new(issued.certificate().unwrap());
    let limits = ConnectionLimits { handshake: Duration::from_millis(100), ..ConnectionLimits::default() };
    let running = run(Transport::Tls(server_config(resolver, None).unwrap()), limits);
    let mut stalled = TcpStream::connect(running.addr).await.unwrap();
    stalled.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    // The end of the stream; a reset where our bytes came too late to be read.
    match stalled.read(&mut [0; 16]).await {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    running.stages.stop.cancel();
    assert_eq!(running.serving.await.unwrap().without_handshake, 1);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_ends_that_connection_only() {
    let issued = issue_for(&["localhost"]);
    let running = run_tls(&CertificateResolver::new(issued.certificate().unwrap()));
    let mut plain = TcpStream::connect(running.addr).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"));
    let mut io = connect(running.addr, client(&issued), "localhost").await.unwrap();
    get_path(&mut io, "/health").await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_option_that_changes_it() {
    let first = bind("127.0.0.1:0".parse().unwrap(), "--webhook-addr").unwrap();
    let addr = first.local_addr().unwrap();
    let text = bind(addr, "--webhook-addr").unwrap_err().to_string();
    assert_eq!(
        text,
        format!(
            "cannot listen on {addr}: the port is in use; stop the process that has it, or choose another with \
             --webhook-addr"
        )
    );
}

#[tokio::test]
async fn the_drain_lets_a_request_finish_and_then_refuses_new_connections() {
    let issued = issue_for(&["localhost"]);
    let running = run_tls(&CertificateResolver::new(issued.certificate().unwrap()));
    let mut busy = connect(running.addr, client(&issued), "localhost").await.unwrap();
    busy.write_all(b"GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    running.entered.notified().await;
    let mut idle = connect(running.addr, client(&issued), "localhost").await.unwrap();
    get_path(&mut idle, "/health").await.unwrap();

    running.stages.stop.cancel();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0, "the idle connection is closed cleanly");
    // The listener is closed before the drain begins, and the idle connection is only closed after that signal; a
    // connection that is still in the backlog is reset, one that comes later is refused.
    running.gate.notify_one();
    assert!(answer(&mut busy).await.unwrap().starts_with("HTTP/1.1 200"));
    let report = running.serving.await.unwrap();
    assert_eq!(report, ServeReport { accepted: 2, drained: 2, ..ServeReport::default() });
    let refused = TcpStream::connect(running.addr).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    // And the port is free at once for the next process.
    bind(running.addr, "--webhook-addr").unwrap();
}

// === client certificates ===

/// An authority (PEM) and a client certificate that it has signed.
fn client_identity() -> (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut leaf = rcgen::CertificateParams::new(vec!["kube-apiserver".to_owned()]).unwrap();
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    (authority_pem, vec![leaf.der().clone()], key)
}

#[tokio::test]
async fn with_a_client_authority_only_its_clients_are_served() {
    let issued = issue_for(&["localhost"]);
    let (authority_pem, chain, key) = client_identity();
    let (_, stranger_chain, stranger_key) = client_identity();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clients.crt");
    fs::write(&file, authority_pem).unwrap();
    let resolver = CertificateResolver::new(issued.certificate().unwrap());
    let running =
        run(Transport::Tls(server_config(resolver, Some(&file)).unwrap()), ConnectionLimits::default());

    let with_identity = |chain, key| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(issued.authority_pem().as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(eco_pulse::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        config.time_provider = Arc::new(AtNow);
        config
    };
    let mut io = connect(running.addr, with_identity(chain, key), "localhost").await.unwrap();
    assert!(get_path(&mut io, "/health").await.unwrap().starts_with("HTTP/1.1 200"));

    // In TLS 1.3 the client learns of the refusal with its first read.
    for (who, config) in
        [("nobody", client(&issued)), ("a stranger", with_identity(stranger_chain, stranger_key))]
    {
        let outcome = match connect(running.addr, config, "localhost").await {
            Ok(mut io) => get_path(&mut io, "/health").await,
            Err(error) => Err(error),
        };
        assert!(outcome.is_err(), "{who} was served");
    }
}

#[rstest]
#[case(None, "No such file")]
#[case(Some(""), "the file is empty")]
#[case(Some("garbage"), "holds no certificate")]
#[case(
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "cannot verify clients with it"
)]
fn a_bad_client_authority_is_named_by_its_setting(#[case] content: Option<&str>, #[case] cause: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clients.crt");
    if let Some(content) = content {
        fs::write(&file, content).unwrap();
    }
    let resolver = CertificateResolver::new(issue_for(&["localhost"]).certificate().unwrap());
    let text = server_config(resolver, Some(&file)).unwrap_err().to_string();
    assert!(text.starts_with(&format!("server.clientCaFile: {}", file.display())), "{text}");
    assert!(text.contains(cause), "{text}");
}
