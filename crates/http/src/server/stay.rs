//! How long a connection stays: as long as calls are under way, and otherwise only so long. A client that sends the headers of
//! a call one byte at a time, or nothing at all, holds a place that somebody else could have.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, Version};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tower::Service;

/// What a connection is at.
#[derive(Debug, Clone, Copy, Default)]
struct Now {
    /// Calls under way: begun, and their answers not yet sent.
    calls: usize,
    /// Bytes of a call came whose headers are not complete.
    is_head_begun: bool,
    /// HTTP/2: bytes are not always those of a call.
    is_multiplexed: bool,
}

/// One connection's stay.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    now: watch::Sender<Now>,
    head: Duration,
    idle: Duration,
}

impl Stay {
    pub(super) fn begin(head: Duration, idle: Duration) -> Self {
        Self { now: watch::Sender::new(Now::default()), head, idle }
    }

    /// Returns when the connection has waited longer for its client than it waits.
    pub(super) async fn outstayed(&self) {
        let mut now = self.now.subscribe();
        loop {
            let Now { calls, is_head_begun, .. } = *now.borrow_and_update();
            let patience = if is_head_begun { self.head } else { self.idle };
            let changed = now.changed();
            let waited = async {
                if calls == 0 { tokio::time::sleep(patience).await } else { std::future::pending().await }
            };
            tokio::select! {
                // `self` holds the sender: it changes, or the time is up.
                _ = changed => {}
                () = waited => return,
            }
        }
    }

    fn bytes_came(&self) {
        self.now.send_if_modified(|now| {
            let begins = now.calls == 0 && !now.is_head_begun && !now.is_multiplexed;
            now.is_head_begun |= begins;
            begins
        });
    }

    fn call_begins(&self, version: Version) -> Call {
        self.now.send_modify(|now| {
            now.calls += 1;
            now.is_head_begun = false;
            now.is_multiplexed = version == Version::HTTP_2;
        });
        Call(self.clone())
    }
}

/// A call under way; over when it is dropped.
#[derive(Debug)]
struct Call(Stay);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.now.send_modify(|now| now.calls -= 1);
    }
}

/// A stream that tells the stay when bytes come.
#[derive(Debug)]
pub(super) struct Heard<S> {
    stream: S,
    stay: Stay,
}

impl<S> Heard<S> {
    pub(super) fn new(stream: S, stay: Stay) -> Self {
        Self { stream, stay }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.stay.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A router that tells the stay when calls begin and end.
#[derive(Debug, Clone)]
pub(super) struct Told {
    router: Router,
    stay: Stay,
}

impl Told {
    pub(super) fn new(router: Router, stay: Stay) -> Self {
        Self { router, stay }
    }
}

impl<B> Service<Request<B>> for Told
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router always is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = self.stay.call_begins(request.version());
        let answered = self.router.call(request.map(Body::new));
        Box::pin(async move { Ok(answered.await?.map(|body| Answer { body, _call: call })) })
    }
}

/// The body of an answer. Its call is over when it is sent, or nobody wants it any more.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    _call: Call,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
