//! Why a command was refused, in the terms the edge needs. Every aggregate has its own `Error`; each becomes a `Refusal`.

/// What kind of no it is; the edge gives each its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing, or it is not the actor's (404).
    NotFound,
    /// It cannot be done in the present state (409).
    Conflict,
    /// The request itself breaks a rule (422).
    Invalid,
}

/// A refused command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// What kind of no it is.
    pub kind: Kind,
    /// The stable name of the rule, in kebab case: the last part of the problem `type`, for example `out-of-stock`.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
    /// The field that broke the rule, as a JSON Pointer, where one did.
    pub field: Option<&'static str>,
}

impl Refusal {
    /// A refusal of that kind.
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), field: None }
    }
    /// A decision looked at a stream that was not loaded: a defect of the command's `streams()`, never the caller's.
    pub fn not_loaded() -> Self {
        Self::new(Kind::Conflict, "invalid-state", "the state of a stream was not loaded")
    }
    /// There is no such thing, or it is not the actor's: the two are answered alike.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "not-found", format!("there is no such {what}"))
    }
    /// Names the field that broke the rule.
    #[must_use]
    pub fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }
}
