//! A client that is as light as can be: one connection, kept alive, one request after another. It understands what the shop
//! answers (a `Content-Length`, no chunks) and takes nothing apart that is not asked for. On a machine that it shares with
//! what it measures, what the generator burns is missing there.

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) bearer: Option<&'a str>,
    /// More headers, each with its line end.
    pub(super) headers: &'a str,
    pub(super) body: &'a str,
}

/// What came back.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    head: &'a str,
    pub(super) body: &'a str,
}

/// One connection to one server.
pub(super) struct Connection {
    host: String,
    stream: TcpStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    /// To a URL without a path.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let host = url.strip_prefix("http://").context("only plain HTTP is spoken")?.trim_end_matches('/');
        let stream = TcpStream::connect(host).await.with_context(|| host.to_owned())?;
        stream.set_nodelay(true)?;
        Ok(Self { host: host.to_owned(), stream, sent: Vec::new(), received: Vec::with_capacity(32 * 1024) })
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    pub(super) async fn call(&mut self, call: Call<'_>) -> Result<Answer<'_>> {
        self.write(call).await?;
        self.received.clear();
        let (head, length) = self.read_head().await?;
        while self.received.len() < head + length {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection ended in an answer");
        }
        let (head, body) = std::str::from_utf8(&self.received)?.split_at(head);
        let status = head.get(9..12).and_then(|status| status.parse().ok()).context("no status")?;
        Ok(Answer { status, head, body })
    }

    /// The same; an answer that says no is an error.
    pub(super) async fn succeed(&mut self, call: Call<'_>) -> Result<Answer<'_>> {
        let answer = self.call(call).await?;
        ensure!(answer.is_success(), "{} {}: {} {}", call.method, call.path, answer.status, answer.body);
        Ok(answer)
    }

    async fn write(&mut self, call: Call<'_>) -> Result<()> {
        let Call { method, path, headers, body, .. } = call;
        self.sent.clear();
        for part in [method, " ", path, " HTTP/1.1\r\nhost: ", &self.host, "\r\n", headers] {
            self.sent.extend_from_slice(part.as_bytes());
        }
        if let Some(bearer) = call.bearer {
            for part in ["authorization: Bearer ", bearer, "\r\n"] {
                self.sent.extend_from_slice(part.as_bytes());
            }
        }
        if !body.is_empty() {
            let length = body.len().to_string();
            for part in ["content-type: application/json\r\ncontent-length: ", &length, "\r\n"] {
                self.sent.extend_from_slice(part.as_bytes());
            }
        }
        self.sent.extend_from_slice(b"\r\n");
        self.sent.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.sent).await?;
        Ok(())
    }

    /// Reads until the end of the head: where that is, and how long the body is.
    async fn read_head(&mut self) -> Result<(usize, usize)> {
        loop {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection ended");
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.received[..end])?;
                let Some(length) = header(head, "content-length") else {
                    if head.get(9..12) == Some("204") {
                        return Ok((end + 4, 0));
                    }
                    bail!("an answer without a length: {head}");
                };
                return Ok((end + 4, length.parse()?));
            }
        }
    }
}

impl Answer<'_> {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, named in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// The text of a field: the first of that name.
    pub(super) fn text(&self, field: &str) -> Result<&str> {
        let found =
            self.body.split_once(&format!("\"{field}\":\"")).and_then(|(_, rest)| rest.split_once('"'));
        Ok(found.with_context(|| format!("{field} is missing in {}", self.body))?.0)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_in_pieces_is_one_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            for piece in [
                "HTTP/1.1 201 Created\r\nConsistency-",
                "Token: abc\r\nContent-Length: 13\r\n\r\n{\"id\"",
                ":\"7-8-9\"}",
            ] {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
            String::from_utf8(asked[..length].to_vec()).unwrap()
        });
        let mut connection = Connection::open(&url).await.unwrap();
        let call =
            Call { method: "POST", path: "/v1/things", bearer: Some("me"), body: "{}", ..Call::default() };
        let answer = connection.succeed(call).await.unwrap();
        assert_eq!((answer.status, answer.header("consistency-token")), (201, Some("abc")));
        assert_eq!(answer.text("id").unwrap(), "7-8-9");
        let asked = serving.await.unwrap();
        assert!(
            asked.starts_with("POST /v1/things HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n{}"),
            "{asked}"
        );
        assert!(asked.contains("authorization: Bearer me\r\n") && asked.contains("content-length: 2\r\n"));
    }
}
