//! HTTP/2 that means no good, frame by frame: the connection that it comes by is ended, and others are answered.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// More than any client begins at once: if it were allowed, it would be without end.
const MANY: u32 = 5000;

/// Kinds of frames, RFC 9113 section 6.
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Error codes, section 7.
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET / https localhost`: three entries of the static table, and a name of it with a value (RFC 7541, appendix A).
fn head() -> Vec<u8> {
    [&[0x82, 0x87, 0x84, 0x41, 9][..], b"localhost"].concat()
}

/// The error code of the last frame of this kind, if there is one.
fn went_away_for(mut frames: &[u8]) -> Option<u32> {
    let mut code = None;
    while let Some((head, rest)) = frames.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        if head[3] == GO_AWAY {
            code = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        frames = rest;
    }
    code
}

/// Sends it all and reads to the end, which has to come long before any time limit; and somebody else is answered.
async fn is_cut_off(flood: Vec<u8>) {
    let harness = start(true, ConnectionLimits::default());
    let io = harness.connect_tls(&["h2"]).await;
    let (mut reader, mut writer) = tokio::io::split(io);
    let sending = async {
        // It is not heard to its end.
        let _ = writer.write_all(PREFACE).await;
        let _ = writer.write_all(&frame(SETTINGS, 0, 0, &[])).await;
        let _ = writer.write_all(&flood).await;
    };
    let mut heard = Vec::new();
    let both = async { tokio::join!(sending, reader.read_to_end(&mut heard)).1 };
    // The end may come without the TLS layer's own.
    let _ = timeout(SECOND, both).await.expect("the connection lives on");
    assert_eq!(went_away_for(&heard), Some(ENHANCE_YOUR_CALM));
    let mut other = harness.connect_tls(&["http/1.1"]).await;
    assert!(ask(&mut other, "/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_reset_at_once_end_the_connection() {
    let streams = (0..MANY).map(|number| 2 * number + 1);
    let reset = |stream| {
        let begun = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head());
        [begun, frame(RESET, 0, stream, &CANCEL.to_be_bytes())].concat()
    };
    is_cut_off(streams.flat_map(reset).collect()).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_continued_without_end_ends_the_connection() {
    let mut flood = frame(HEADERS, END_STREAM, 1, &head());
    // A header of one byte, and its value of one.
    let field = [0x00, 1, b'a', 1, b'b'];
    flood.extend((0..MANY).flat_map(|_| frame(CONTINUATION, 0, 1, &field)));
    is_cut_off(flood).await;
}
