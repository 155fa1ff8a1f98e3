//! One call of the shop's APIs, and how it can end.

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

/// Which of the two APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Command,
    Query,
}

/// As whom.
#[derive(Clone)]
pub(super) enum As {
    Nobody,
    Staff,
    Analyst,
    /// Somebody with a token of their own. Never printed.
    Bearer(String),
}

/// A call.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) api: Api,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) by: As,
    pub(super) key: Option<Uuid>,
    pub(super) body: Option<Value>,
    /// The `Consistency-Token` that the answer must have reached.
    pub(super) after: Option<String>,
}

impl Call {
    fn new(api: Api, method: Method, path: impl Into<String>, by: As) -> Self {
        Self { api, method, path: path.into(), by, key: None, body: None, after: None }
    }
    pub(super) fn get(path: impl Into<String>, by: As) -> Self {
        Self::new(Api::Query, Method::GET, path, by)
    }
    pub(super) fn post(path: impl Into<String>, by: As, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Api::Command, Method::POST, path, by) }
    }
    pub(super) fn put(path: impl Into<String>, by: As, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Api::Command, Method::PUT, path, by) }
    }
    pub(super) fn patch(path: impl Into<String>, by: As, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Api::Command, Method::PATCH, path, by) }
    }
    pub(super) fn key(self, key: Uuid) -> Self {
        Self { key: Some(key), ..self }
    }
    pub(super) fn after(self, token: Option<&str>) -> Self {
        Self { after: token.map(str::to_owned), ..self }
    }
    pub(super) fn by(self, by: As) -> Self {
        Self { by, ..self }
    }
    /// What it is, for people: no token, no body.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A call that was done.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) body: Value,
    /// Where the log was then.
    pub(super) token: Option<String>,
    /// It was done by an earlier call with the same key.
    pub(super) replayed: bool,
}

impl Answer {
    /// A text that every such answer has.
    pub(super) fn text(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.body.get(name).and_then(Value::as_str);
        found.ok_or_else(|| anyhow::anyhow!("the answer of the shop has no {name}"))
    }
}

/// What the shop said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn read(status: u16, body: &Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { status, code: text("code"), detail: text("detail") }
    }
}

impl Refusal {
    /// The key of the call was used for another request: nothing that the shop says about this one.
    pub(super) fn is_of_the_key(&self) -> bool {
        self.code == "idempotency-key-reused"
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code.as_str(), self.detail.as_str()) {
            ("", _) => write!(f, "the shop answers with status {}", self.status),
            (code, "") => f.write_str(code),
            (code, detail) => write!(f, "{code}: {detail}"),
        }
    }
}

/// A call that was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The shop says no; the rest of the import goes on.
    Refused(Refusal),
    /// The import cannot go on.
    Broken(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

impl Failure {
    /// Ends the import when the call's key was used for another request. What has become of that one is not known here, so this is
    /// no refusal of what was asked.
    pub(super) fn unless_of_the_key(self, what: &str) -> Self {
        match self {
            Self::Refused(refusal) if refusal.is_of_the_key() => Self::Broken(anyhow::anyhow!(
                "{what} was asked for before, but otherwise, and asking again could do it twice ({refusal})"
            )),
            failure => failure,
        }
    }

    /// Ends the import: this is nothing that the shop may say no to.
    pub(super) fn fatal(self, what: &str) -> anyhow::Error {
        match self {
            Self::Refused(refusal) => anyhow::anyhow!("{what}: {refusal}"),
            Self::Broken(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_used_otherwise_ends_the_import_and_a_refusal_does_not() {
        let failure = |code: &str| {
            let body = serde_json::json!({"code": code, "detail": "why"});
            Failure::Refused(Refusal::read(422, &body)).unless_of_the_key("the order")
        };
        assert!(matches!(failure("out-of-stock"), Failure::Refused(_)));
        let Failure::Broken(error) = failure("idempotency-key-reused") else { panic!("it goes on") };
        assert!(error.to_string().starts_with("the order was asked for before"), "{error}");
    }
}
