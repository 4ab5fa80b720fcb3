//! One connection, from the accepted socket to its end.

use std::{convert::Infallible, pin::pin, sync::Arc};

use http::{HeaderValue, Request, Version, header::CONNECTION};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::{
    ConnectionLimits, HttpService, ShutdownStages,
    activity::{Activity, Answering, Counted},
    head_timer::HeadTimer,
    streams::StreamExecutor,
};

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// HTTP was spoken on it and is over, by either side's wish or by a fault on the way.
    Served,
    /// It never got past the TLS handshake.
    NoHandshake,
    /// Nothing moved on it for the idle limit.
    Silent,
}

/// What every connection of a listener needs.
#[derive(Clone)]
pub(super) struct Connections<S> {
    pub(super) name: &'static str,
    pub(super) service: S,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: ConnectionLimits,
    pub(super) stages: ShutdownStages,
    pub(super) streams: StreamExecutor,
}

impl<S: HttpService> Connections<S> {
    /// Serves one connection to its end.
    pub(super) async fn serve<Io>(self, io: Io, activity: Arc<Activity>) -> End
    where
        Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Some(tls) = &self.tls else {
            return self.serve_http1(io, activity).await;
        };
        let handshake = tokio::time::timeout(self.limits.handshake, tls.accept(io));
        let io = tokio::select! {
            biased;
            // Nothing has been asked yet, so nothing is lost.
            () = self.stages.stop.cancelled() => return End::NoHandshake,
            outcome = handshake => match outcome {
                Ok(Ok(io)) => io,
                // Scanners and TCP health checks do this all day: not worth more than debug.
                Ok(Err(error)) => {
                    tracing::debug!(listener = self.name, %error, "TLS handshake failed");
                    return End::NoHandshake;
                }
                Err(_elapsed) => {
                    tracing::debug!(listener = self.name, "TLS handshake not completed in time");
                    return End::NoHandshake;
                }
            },
        };
        if io.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(io, activity).await
        } else {
            self.serve_http1(io, activity).await
        }
    }

    async fn serve_http1<Io>(self, io: Io, activity: Arc<Activity>) -> End
    where
        Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { name, service, limits, stages, .. } = self;
        let mut builder = http1::Builder::new();
        builder
            .timer(HeadTimer::new(Arc::clone(&activity), limits.head))
            .header_read_timeout(limits.head)
            .max_header_size(limits.max_head_bytes as usize);

        let ending = Arc::clone(&activity);
        let service = service_fn(move |request: Request<Incoming>| {
            let service = service.clone();
            let ending = Arc::clone(&ending);
            let answering = answering(&ending, &request);
            async move {
                let mut response = service.oneshot(request).await?;
                drop(answering);
                if ending.next_answer_is_the_last() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let io = TokioIo::new(Counted::new(io, Arc::clone(&activity)));
        let connection = builder.serve_connection(io, service);
        drive(name, connection, &activity, &limits, &stages, Version::HTTP_11).await
    }

    async fn serve_http2<Io>(self, io: Io, activity: Arc<Activity>) -> End
    where
        Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { name, service, limits, stages, streams, .. } = self;
        let mut builder = http2::Builder::new(streams);
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.max_streams)
            .max_header_list_size(limits.max_head_bytes)
            .keep_alive_interval(limits.ping_interval)
            .keep_alive_timeout(limits.ping_timeout);

        let asked = Arc::clone(&activity);
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = answering(&asked, &request);
            let answer = service.clone().oneshot(request);
            async move {
                let answer = answer.await;
                drop(answering);
                answer
            }
        });
        let io = TokioIo::new(Counted::new(io, Arc::clone(&activity)));
        let connection = builder.serve_connection(io, service);
        drive(name, connection, &activity, &limits, &stages, Version::HTTP_2).await
    }
}

/// What a body is still missing may never come; without one, only the answer is.
fn answering(activity: &Arc<Activity>, request: &Request<Incoming>) -> Option<Answering> {
    request.body().is_end_stream().then(|| activity.answering())
}

/// Runs a connection through the stages of a shutdown, or until it falls silent.
async fn drive<C>(
    name: &'static str,
    connection: C,
    activity: &Activity,
    limits: &ConnectionLimits,
    stages: &ShutdownStages,
    version: Version,
) -> End
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let mut silence = pin!(activity.silence(limits.idle));
    // Tokens of its own: these futures are polled with every request, and a poll takes the token's lock.
    let (wind_down, stop) = (stages.wind_down.child_token(), stages.stop.child_token());
    let mut wind_down = pin!(wind_down.cancelled());
    let mut stop = pin!(stop.cancelled());
    // An HTTP/2 connection that opens during the wind-down is left alone until `stop`: its GOAWAY could come before its
    // first request, and clients would dial again and again without being served.
    let mut winding_down = version == Version::HTTP_2 && stages.wind_down.is_cancelled();
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            () = &mut stop, if !stopping => {
                stopping = true;
                // Before its first byte an HTTP/2 connection has no state that hyper could end in good order.
                if activity.received() == 0 {
                    return End::Served;
                }
                connection.as_mut().graceful_shutdown();
            }
            () = &mut wind_down, if !winding_down => {
                winding_down = true;
                if version == Version::HTTP_2 {
                    // A GOAWAY tells the client which requests count, so it can send the others elsewhere.
                    connection.as_mut().graceful_shutdown();
                } else {
                    // HTTP/1.1 has no such message: closing now could cross a request on its way, and the API server
                    // does not send a POST twice.
                    activity.make_next_answer_the_last();
                }
            }
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    tracing::debug!(listener = name, %error, "connection ended with an error");
                }
                return End::Served;
            }
            () = &mut silence => {
                tracing::debug!(listener = name, "connection closed after the idle limit");
                return End::Silent;
            }
        }
    }
}
