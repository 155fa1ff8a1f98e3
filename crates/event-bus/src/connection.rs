//! How Kafka is reached, and what every client of it is configured with.

use std::path::{Path, PathBuf};

use event_store::Topic;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, client::OAuthToken};
use secrecy::{ExposeSecret, SecretString};

/// Whether this build can sign in to MSK with an AWS role (feature `msk-iam`).
pub const MSK_IAM: bool = cfg!(feature = "msk-iam");

/// The largest record that is produced and that topics take, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A Kafka cluster, and how the log lies in it.
#[derive(Debug, Clone)]
pub struct Kafka {
    /// The first brokers, `host:port` with commas between.
    pub brokers: String,
    /// How brokers are reached.
    pub security: Security,
    /// What the topics' names begin with: `jumun` gives `jumun.orders`.
    pub topics: String,
    /// Partitions of every topic.
    pub partitions: u32,
    /// Copies of every partition.
    pub replication: u32,
}

/// How brokers are reached. Without a `ca`, the system's authorities are believed.
#[derive(Debug, Clone)]
pub enum Security {
    /// As they are; inside a closed network only.
    Plaintext,
    /// With TLS.
    Tls {
        /// The file with the authority that the brokers' certificates are signed by.
        ca: Option<PathBuf>,
    },
    /// With TLS, and a user and a password (SASL/SCRAM-SHA-512).
    Scram {
        /// The file with the authority that the brokers' certificates are signed by.
        ca: Option<PathBuf>,
        /// Who we are.
        username: String,
        /// And how we prove it.
        password: SecretString,
    },
    /// With TLS, and the role that AWS gives this process (MSK IAM). Needs [`MSK_IAM`].
    MskIam {
        /// The AWS region of the cluster.
        region: String,
        /// The file with the authority that the brokers' certificates are signed by.
        ca: Option<PathBuf>,
    },
}

impl Kafka {
    /// The name of a topic there.
    pub fn name(&self, topic: Topic) -> String {
        format!("{}.{}", self.topics, topic.name())
    }

    /// Which of ours a topic of that name is. `None`: it is not one of ours.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        Topic::parse(name.strip_prefix(&self.topics)?.strip_prefix('.')?)
    }

    /// For producers that must not lose, double or reorder anything by themselves: what is in flight is tried for ever, and
    /// the first record that fails for good ends the producer.
    pub fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("max.in.flight.requests.per.connection", "5")
            .set("message.timeout.ms", "0")
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "131072")
            .set("linger.ms", "2")
            .set("compression.type", "lz4");
        config
    }

    /// For consumers that keep their places themselves. A group and how it is assigned are the caller's.
    pub fn consumer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("fetch.wait.max.ms", "20")
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.message.max.bytes", RECORD_BYTES_MAX.to_string());
        config
    }

    /// For what creates and looks at topics.
    pub fn admin(&self) -> ClientConfig {
        self.client()
    }

    /// What answers the questions that a client of this cluster has: every client is created with one.
    pub fn session(&self) -> Session {
        Session { security: self.security.clone() }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "jumun")
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            .set("socket.timeout.ms", "15000")
            .set("socket.connection.setup.timeout.ms", "10000")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "2000")
            .set("topic.metadata.refresh.interval.ms", "60000")
            .set_log_level(RDKafkaLogLevel::Info);
        self.security.add_to(&mut config);
        config
    }
}

impl Security {
    fn add_to(&self, config: &mut ClientConfig) {
        match self {
            Self::Plaintext => {
                config.set("security.protocol", "plaintext");
            }
            Self::Tls { ca } => {
                config.set("security.protocol", "ssl");
                believe(config, ca.as_deref());
            }
            Self::Scram { ca, username, password } => {
                config
                    .set("security.protocol", "sasl_ssl")
                    .set("sasl.mechanisms", "SCRAM-SHA-512")
                    .set("sasl.username", username)
                    .set("sasl.password", password.expose_secret());
                believe(config, ca.as_deref());
            }
            Self::MskIam { ca, .. } => {
                config.set("security.protocol", "sasl_ssl").set("sasl.mechanisms", "OAUTHBEARER");
                believe(config, ca.as_deref());
            }
        }
    }
}

fn believe(config: &mut ClientConfig, ca: Option<&Path>) {
    if let Some(ca) = ca {
        config.set("ssl.ca.location", ca.to_string_lossy());
    }
}

/// The context of a client: says what it logs in our log, and signs in to MSK.
///
/// A client that needs a context of its own forwards these three calls to one of these.
#[derive(Debug, Clone)]
pub struct Session {
    security: Security,
}

impl ClientContext for Session {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    /// A client mends connections by itself, so none of what it says is an error of ours.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "Kafka's client says: {line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(facility, "Kafka's client says: {line}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, "Kafka's client reports: {reason}");
    }

    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        match &self.security {
            Security::MskIam { region, .. } => token(region),
            _ => Err("a broker asked for a token, but kafka_security is not msk_iam".into()),
        }
    }
}

impl ConsumerContext for Session {}

#[cfg(feature = "msk-iam")]
fn token(region: &str) -> Result<OAuthToken, Box<dyn std::error::Error>> {
    crate::msk_iam::token(region)
}

#[cfg(not(feature = "msk-iam"))]
fn token(_region: &str) -> Result<OAuthToken, Box<dyn std::error::Error>> {
    Err("this build cannot sign in to MSK: it was built without the feature msk-iam".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kafka(security: Security) -> Kafka {
        let (brokers, topics) = ("127.0.0.1:1".to_owned(), "shop.a".to_owned());
        Kafka { brokers, security, topics, partitions: 3, replication: 1 }
    }

    #[test]
    fn a_topic_is_found_by_the_name_that_it_is_given() {
        let kafka = kafka(Security::Plaintext);
        for topic in Topic::ALL {
            assert_eq!(kafka.topic(&kafka.name(topic)), Some(topic));
        }
        for foreign in ["shop.orders", "shop.aorders", "shop.a.letters", "shop.a", "orders", ""] {
            assert_eq!(kafka.topic(foreign), None, "{foreign}");
        }
    }

    /// Every setting must be one that the client knows, whatever the security.
    #[test]
    fn clients_can_be_made_of_every_configuration() {
        let password = SecretString::from("secret-of-mine");
        for security in [
            Security::Plaintext,
            Security::Tls { ca: None },
            Security::Scram { ca: None, username: "jumun".to_owned(), password },
            Security::MskIam { region: "ap-northeast-2".to_owned(), ca: None },
        ] {
            let kafka = kafka(security);
            for config in [kafka.producer(), kafka.consumer(), kafka.admin()] {
                config.create_native_config().unwrap();
                assert!(!format!("{config:?}").contains("secret-of-mine"));
            }
            assert!(!format!("{kafka:?}").contains("secret-of-mine"));
        }
    }
}
