//! Stands between a client and a server on a loopback port: passes everything on at once, and the answers as late as it
//! is told.
#![allow(dead_code, reason = "each of the test crates that include this uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A running proxy, for as long as its runtime runs.
pub struct SlowProxy {
    /// Where it listens.
    pub addr: SocketAddr,
    delay: watch::Sender<Duration>,
}

impl SlowProxy {
    /// In front of this port; every answer comes `delay` late.
    pub async fn start(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (delay, told) = watch::channel(delay);
        tokio::spawn(accept(listener, port, told));
        Self { addr, delay }
    }

    /// Answers are so late from now on, those that already wait included.
    pub fn delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }
}

async fn accept(listener: TcpListener, port: u16, delay: watch::Receiver<Duration>) {
    loop {
        let (near, _) = listener.accept().await.unwrap();
        // The server may be gone: then the connection ends as its own would.
        let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        let ((mut from_near, mut to_near), (mut from_far, mut to_far)) =
            (near.into_split(), far.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_near, &mut to_far).await });
        let mut delay = delay.clone();
        tokio::spawn(async move {
            let mut bytes = vec![0; 1 << 16];
            while let Ok(read @ 1..) = from_far.read(&mut bytes).await {
                wait(&mut delay).await;
                if to_near.write_all(&bytes[..read]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// For as long as the delay is, and no longer than a new one that it is changed to.
async fn wait(delay: &mut watch::Receiver<Duration>) {
    loop {
        let length = *delay.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep(length) => return,
            changed = delay.changed() => if changed.is_err() { return },
        }
    }
}
