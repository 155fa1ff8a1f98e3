//! Calls to OpenSearch: a handful, with time limits of our own.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Certificate, Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::Error;
use crate::breaker::Breaker;

/// A buyer waits: who has not answered by then is not waited for.
const ASK_LIMIT: Duration = Duration::from_secs(1);
/// Nobody waits: a large batch, a new index.
const WORK_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// OpenSearch, and the names of our indexes in it.
#[derive(Debug)]
pub struct OpenSearch {
    http: reqwest::Client,
    url: Url,
    user: Option<(String, SecretString)>,
    /// The alias that everybody asks and writes to.
    pub(crate) alias: String,
    /// How long a search may take.
    ask_limit: Duration,
    /// How searches fared lately. What is written is tried again and again, and does not count.
    breaker: Breaker,
}

impl OpenSearch {
    /// OpenSearch at `url` (opensearch_url; may hold a user and a password), with indexes whose names begin with `prefix`
    /// (opensearch_index). `ca_file` (opensearch_ca_file) holds the authority of its certificate when that is not a public one.
    /// Nothing is asked yet: it may be away now.
    ///
    /// # Errors
    /// [`Error::Configuration`] when one of these cannot be used.
    pub fn new(url: &SecretString, ca_file: Option<&Path>, prefix: &str) -> Result<Self, Error> {
        // The parser's own words could repeat the password.
        let mut url = Url::parse(url.expose_secret())
            .map_err(|_| Error::Configuration("opensearch_url is not an address".to_owned()))?;
        let user = user_of(&url);
        // Fails only for addresses without a host, which were refused.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        check_prefix(prefix)?;
        let mut builder = reqwest::Client::builder()
            .timeout(WORK_LIMIT)
            .connect_timeout(CONNECT_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(file) = ca_file {
            builder = builder.tls_certs_only(certificates(file)?);
        }
        let http = builder
            .build()
            .map_err(|error| Error::Configuration(format!("no HTTP client can be made: {error}")))?;
        let (alias, ask_limit, breaker) = (format!("{prefix}-products"), ASK_LIMIT, Breaker::default());
        Ok(Self { http, url, user, alias, ask_limit, breaker })
    }

    /// The same, with so long for a search, and not a second: for whoever does not keep a buyer waiting.
    #[must_use]
    pub fn waiting(self, ask_limit: Duration) -> Self {
        Self { ask_limit, ..self }
    }

    /// Asks what a buyer waits for: once, for a second at most, and not at all while it keeps failing.
    pub(crate) async fn ask(&self, path: &str, body: Body<'_>) -> Result<Value, Error> {
        if !self.breaker.allows(Instant::now()) {
            return Err(Error::Resting);
        }
        let answer = self.send(Method::POST, path, body, self.ask_limit).await;
        match &answer {
            Err(error @ (Error::Away(_) | Error::Busy { .. } | Error::Strange(_))) => {
                // Each single failure is counted by whoever asks elsewhere then.
                let rests = self.breaker.failed(Instant::now());
                rests.then(|| tracing::warn!(%error, "searches are answered without OpenSearch: {error}"));
            }
            _ => {
                self.breaker.answered().then(|| tracing::info!("OpenSearch answers searches again"));
            }
        }
        answer
    }

    /// Asks what nobody waits for.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Body<'_>) -> Result<Value, Error> {
        self.send(method, path, body, WORK_LIMIT).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body<'_>,
        limit: Duration,
    ) -> Result<Value, Error> {
        let away = |error: reqwest::Error| Error::Away(described(&error));
        let mut address = self.url.as_str().trim_end_matches('/').to_owned();
        address.push_str(path);
        let mut request = self.http.request(method.clone(), address).timeout(limit);
        if let Some((name, password)) = &self.user {
            request = request.basic_auth(name, Some(password.expose_secret()));
        }
        request = match body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Lines(lines) => request.header("content-type", "application/x-ndjson").body(lines),
        };
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(away)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| Error::Strange(error.to_string()));
        }
        Err(refused(format!("{method} {path}"), status, &bytes))
    }
}

/// What is sent.
pub(crate) enum Body<'a> {
    None,
    Json(&'a Value),
    /// JSON, a line each.
    Lines(String),
}

/// Adds a line of JSON.
pub(crate) fn push_line(lines: &mut String, line: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(line).map_err(|error| Error::Strange(error.to_string()))?;
    lines.push_str(&line);
    lines.push('\n');
    Ok(())
}

fn user_of(url: &Url) -> Option<(String, SecretString)> {
    let plain = |text: &str| {
        let bytes = percent_decoded(text);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let name = plain(url.username());
    (!name.is_empty()).then(|| (name, SecretString::from(plain(url.password().unwrap_or_default()))))
}

/// An address holds what is not a letter or a digit as `%2F`.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut next) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(next) {
        let code = text.get(next + 1..next + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| *byte == b'%') {
            Some(code) => {
                decoded.push(code);
                next += 3;
            }
            None => {
                decoded.push(*byte);
                next += 1;
            }
        }
    }
    decoded
}

/// What OpenSearch allows in the name of an index.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let begins = prefix.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && prefix.len() <= 100 && prefix.chars().all(plain) {
        return Ok(());
    }
    Err(Error::Configuration(
        "opensearch_index must be small letters, digits, '.', '_' and '-', and begin with a letter or a digit"
            .to_owned(),
    ))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong = |why: String| Error::Configuration(format!("opensearch_ca_file: {}: {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(described(&error)))?;
    if certificates.is_empty() {
        Err(wrong("there is no certificate in it".to_owned()))
    } else {
        Ok(certificates)
    }
}

/// The error with its causes; never the address, which may say more than a log should.
fn described(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the connection broke".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        text.push_str(": ");
        text.push_str(&because.to_string());
        cause = because.source();
    }
    text
}

fn refused(what: String, status: StatusCode, body: &[u8]) -> Error {
    if matches!(status.as_u16(), 429 | 502 | 503 | 504) {
        return Error::Busy { status };
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let what = what.split('?').next().unwrap_or_default().to_owned();
    Error::Refused { what, status, reason: reason(&body["error"]) }
}

/// OpenSearch's own words, the innermost cause.
pub(crate) fn reason(error: &Value) -> String {
    let mut innermost = error;
    while innermost["caused_by"].is_object() {
        innermost = &innermost["caused_by"];
    }
    let words = [&innermost["reason"], &error["root_cause"][0]["reason"], &error["reason"], error];
    words.into_iter().find_map(Value::as_str).unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str, prefix: &str) -> Result<OpenSearch, Error> {
        OpenSearch::new(&SecretString::from(url), None, prefix)
    }

    #[test]
    fn user_and_password_are_taken_from_the_address() {
        let opened = open("https://me:a%2Fb%40c@search.example.com:9200/", "jumun").unwrap();
        let (name, password) = opened.user.as_ref().unwrap();
        assert_eq!((name.as_str(), password.expose_secret()), ("me", "a/b@c"));
        assert_eq!(opened.url.as_str(), "https://search.example.com:9200/");
        assert!(!format!("{opened:?}").contains("a/b"), "it is not printed");
        assert!(open("http://localhost:9200", "jumun").unwrap().user.is_none());
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_key() {
        for (url, prefix, key) in [
            ("/secret", "jumun", "opensearch_url"),
            ("http://localhost", "Jumun", "opensearch_index"),
            ("http://localhost", "", "opensearch_index"),
            ("http://localhost", "_x", "opensearch_index"),
            ("http://localhost", "a*", "opensearch_index"),
        ] {
            let said = open(url, prefix).unwrap_err().to_string();
            assert!(said.starts_with(key), "{said}");
            assert!(!said.contains("secret"));
        }
        let missing = OpenSearch::new(&"http://localhost".into(), Some(Path::new("/no/ca.pem")), "jumun");
        assert!(missing.unwrap_err().to_string().starts_with("opensearch_ca_file"));
    }
}
