//! A client that asks again until it knows, on whichever node lets it in, and writes down what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::history::{History, Op, Outcome, Place, Read};
use super::random::Random;
use crate::shop::{Answer, Shop};

/// For one try.
const PATIENCE: Duration = Duration::from_secs(4);
/// For all tries.
const GIVES_UP: Duration = Duration::from_secs(25);
const PAUSE: Duration = Duration::from_millis(150);

/// What all clients share.
pub(super) struct World {
    pub(super) http: reqwest::Client,
    pub(super) command_urls: Vec<String>,
    pub(super) query_urls: Vec<String>,
    pub(super) start: Instant,
    pub(super) stopped: AtomicBool,
    staff: Mutex<String>,
    staff_person: Value,
}

impl World {
    pub(super) async fn of(shop: &Shop) -> Arc<Self> {
        let people: Value =
            serde_json::from_slice(&std::fs::read(shop.data_dir.join("demo.json")).unwrap()).unwrap();
        Arc::new(Self {
            http: reqwest::Client::builder().timeout(PATIENCE).build().unwrap(),
            command_urls: shop.command_urls().to_vec(),
            query_urls: shop.query_urls().to_vec(),
            start: Instant::now(),
            stopped: AtomicBool::new(false),
            staff: Mutex::new(shop.staff().await),
            staff_person: people["staff"].clone(),
        })
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A bearer token of the staff.
    pub(super) async fn staff(&self) -> String {
        self.staff.lock().await.clone()
    }

    /// Another one, after one was refused.
    async fn sign_in_again(&self, refused: &str) {
        let mut staff = self.staff.lock().await;
        if *staff != refused {
            return;
        }
        let body = json!({"email": self.staff_person["email"], "password": self.staff_person["password"]});
        for url in &self.command_urls {
            let asked = self.http.post(format!("{url}/v1/sessions")).json(&body).send().await;
            if let Ok(answer) = asked
                && answer.status() == 201
                && let Ok(body) = answer.json::<Value>().await
                && let Some(token) = body["access_token"].as_str()
            {
                token.clone_into(&mut staff);
                return;
            }
        }
    }
}

/// A command to be sent.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) by: By,
    pub(super) body: Value,
    /// Sent to both nodes at once, with one key.
    pub(super) twice: bool,
}

/// As whom.
#[derive(Clone)]
pub(super) enum By {
    Nobody,
    Staff,
    Bearer(String),
}

impl Ask {
    pub(super) fn post(name: &'static str, path: impl Into<String>, by: By, body: Value) -> Self {
        Self { name, method: Method::POST, path: path.into(), by, body, twice: false }
    }
}

/// What a try came to.
enum Tried {
    Done(Outcome),
    /// It was not done, and may be tried again.
    NotDone(String),
    InDoubt(String),
}

/// One client.
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) world: Arc<World>,
    /// What it does.
    pub(super) plan: Random,
    /// Its keys, and which node it asks first: apart, so that tries change nothing of what it does.
    keys: Random,
    routes: Random,
    pub(super) history: History,
    /// The furthest place that it was told of.
    pub(super) token: Option<String>,
}

impl Client {
    pub(super) fn new(id: u64, seed: u64, world: &Arc<World>) -> Self {
        let numbers = |of: u64| Random::of(seed, 3 * id + of);
        Self {
            id,
            world: Arc::clone(world),
            plan: numbers(0),
            keys: numbers(1),
            routes: numbers(2),
            history: History::default(),
            token: None,
        }
    }

    /// Sends a command until it knows; the body of the answer when it was done.
    pub(super) async fn command(&mut self, ask: Ask) -> Option<Value> {
        let (key, first) = (self.keys.key(), self.routes.between(0, 1));
        let begun = self.world.start.elapsed();
        let (outcome, in_doubt) = if ask.twice {
            let (one, other) =
                tokio::join!(self.until_known(&ask, key, first), self.until_known(&ask, key, first + 1));
            self.agree(&ask, key, one, other)
        } else {
            let told = self.until_known(&ask, key, first).await;
            self.note(&told);
            (told.outcome, told.in_doubt)
        };
        let ended = self.world.start.elapsed();
        let body = match &outcome {
            Outcome::Acknowledged { body, .. } => Some(body.clone()),
            _ => None,
        };
        self.history.ops.push(Op { client: self.id, name: ask.name, key, begun, ended, in_doubt, outcome });
        body
    }

    /// Two that were sent at once with one key are told the same.
    fn agree(&mut self, ask: &Ask, key: Uuid, one: Told, other: Told) -> (Outcome, u32) {
        self.note(&one);
        self.note(&other);
        if let (Outcome::Acknowledged { body: a, .. }, Outcome::Acknowledged { body: b, .. }) =
            (&one.outcome, &other.outcome)
            && a["order_id"] != b["order_id"]
        {
            self.history.wrong.push(format!("{} {key}: answered with {a} and with {b}", ask.name));
        }
        let done = |told: &Told| matches!(told.outcome, Outcome::Acknowledged { .. });
        let doubt = one.in_doubt + other.in_doubt;
        match (done(&one), done(&other)) {
            (true, _) => (one.outcome, doubt),
            (_, true) => (other.outcome, doubt),
            // Refused on one node, and nobody knows of the other.
            _ if matches!(other.outcome, Outcome::Unknown { .. }) => (other.outcome, doubt),
            _ => (one.outcome, doubt),
        }
    }

    fn note(&mut self, told: &Told) {
        self.history.wrong.extend(told.wrong.iter().cloned());
        let place = |token: &Option<String>| token.as_deref().and_then(Place::parse);
        if place(&told.token)
            .is_some_and(|new| place(&self.token).is_none_or(|old| new.position > old.position))
        {
            self.token.clone_from(&told.token);
        }
    }

    async fn until_known(&self, ask: &Ask, key: Uuid, first: u64) -> Told {
        let begun = Instant::now();
        let mut told = Told {
            outcome: Outcome::Unknown { last: String::new() },
            token: None,
            in_doubt: 0,
            wrong: Vec::new(),
        };
        for turn in first.. {
            let last = match self.attempt(ask, key, turn, &mut told).await {
                Tried::Done(outcome) => {
                    told.outcome = outcome;
                    return told;
                }
                Tried::NotDone(last) => last,
                Tried::InDoubt(last) => {
                    told.in_doubt += 1;
                    last
                }
            };
            if begun.elapsed() > GIVES_UP {
                told.outcome = Outcome::Unknown { last };
                return told;
            }
            tokio::time::sleep(PAUSE).await;
        }
        told
    }

    async fn attempt(&self, ask: &Ask, key: Uuid, turn: u64, told: &mut Told) -> Tried {
        let urls = &self.world.command_urls;
        let url = &urls[usize::try_from(turn).unwrap() % urls.len()];
        let request = self.world.http.request(ask.method.clone(), format!("{url}{}", ask.path));
        let request = request.header("Idempotency-Key", key.to_string()).json(&ask.body);
        let bearer = match &ask.by {
            By::Nobody => None,
            By::Staff => Some(self.world.staff().await),
            By::Bearer(token) => Some(token.clone()),
        };
        let request = match &bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = match request.send().await {
            Ok(answer) => Answer::read_whole(answer).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                if let (By::Staff, Some(token)) = (&ask.by, &bearer) {
                    self.world.sign_in_again(token).await;
                }
                Tried::NotDone("401".to_owned())
            }
            Ok(answer) => told.judge(ask, key, answer),
            Err(error) if error.is_connect() => Tried::NotDone(error.to_string()),
            Err(error) => Tried::InDoubt(error.to_string()),
        }
    }

    /// Asks a query node, with that token; the answer when there is one.
    pub(super) async fn query(
        &mut self,
        path: &str,
        bearer: Option<&str>,
        token: Option<&str>,
    ) -> Option<Answer> {
        let first = self.routes.between(0, 1);
        let begun = Instant::now();
        for turn in first.. {
            let urls = &self.world.query_urls;
            let url = &urls[usize::try_from(turn).unwrap() % urls.len()];
            let mut request = self.world.http.get(format!("{url}{path}"));
            if let Some(token) = token {
                request = request.header("Consistency-Token", token);
            }
            if let Some(bearer) = bearer {
                request = request.bearer_auth(bearer);
            }
            let answer = match request.send().await {
                Ok(answer) => Answer::read_whole(answer).await.ok(),
                Err(_) => None,
            };
            let status = answer.as_ref().map(|answer| answer.status.as_u16());
            self.history.reads.push(Read { client: self.id, path: path.to_owned(), status, lie: None });
            match answer {
                Some(answer) if !matches!(answer.status.as_u16(), 401 | 503) => {
                    if answer.status == 500 {
                        self.history.wrong.push(format!("GET {path}: {:?}", answer.body));
                    }
                    return Some(answer);
                }
                _ if begun.elapsed() > GIVES_UP => return None,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        None
    }

    /// What was just asked showed something that cannot be.
    pub(super) fn lied(&mut self, what: String) {
        self.history.reads.last_mut().unwrap().lie = Some(what);
    }
}

/// What was told in all tries.
struct Told {
    outcome: Outcome,
    token: Option<String>,
    in_doubt: u32,
    wrong: Vec<String>,
}

impl Told {
    fn judge(&mut self, ask: &Ask, key: Uuid, answer: Answer) -> Tried {
        let status = answer.status.as_u16();
        let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        match status {
            200..=299 => {
                let place = answer.token.as_deref().and_then(Place::parse);
                self.token = answer.token;
                Tried::Done(Outcome::Acknowledged { place, body: answer.body })
            }
            500 => {
                self.wrong.push(format!("{} {key}: {}", ask.name, answer.body));
                Tried::InDoubt(format!("{status} {code}"))
            }
            408 | 429 | 501..=599 => Tried::InDoubt(format!("{status} {code}")),
            _ => Tried::Done(Outcome::Refused { status, code }),
        }
    }
}
