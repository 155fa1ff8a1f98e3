//! The Kafka cluster that is configured.

use anyhow::{Result, bail};
use event_bus::connection::{Kafka, MSK_IAM, Security};

use super::{Configuration, KafkaSecurity, required};

impl Configuration {
    /// Kafka, when it is configured.
    pub(crate) fn kafka(&self) -> Result<Option<Kafka>> {
        let Some(brokers) = self.kafka_brokers.clone() else { return Ok(None) };
        Ok(Some(Kafka {
            brokers,
            security: self.security()?,
            topics: self.kafka_topics.clone(),
            partitions: self.kafka_partitions,
            replication: self.kafka_replication,
        }))
    }

    fn security(&self) -> Result<Security> {
        let ca = self.kafka_ca_file.clone();
        Ok(match self.kafka_security {
            KafkaSecurity::Plaintext => Security::Plaintext,
            KafkaSecurity::Tls => Security::Tls { ca },
            KafkaSecurity::Scram => Security::Scram {
                ca,
                username: required("kafka_username", self.kafka_username.clone())?,
                password: required("kafka_password", self.kafka_password()?)?,
            },
            KafkaSecurity::MskIam if !MSK_IAM => bail!(
                "kafka_security is msk_iam, but this program was built without it: build it with --features msk-iam"
            ),
            KafkaSecurity::MskIam => {
                Security::MskIam { region: required("kafka_region", self.kafka_region.clone())?, ca }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Option<Kafka> {
        let text = format!("kafka_topics = \"shop\"\nkafka_partitions = 2\nkafka_replication = 1\n{text}");
        let built =
            config::Config::builder().add_source(config::File::from_str(&text, config::FileFormat::Toml));
        let configuration: Configuration = built.build().unwrap().try_deserialize().unwrap();
        configuration.kafka().unwrap()
    }

    #[test]
    fn kafka_is_as_it_is_configured_or_not_there() {
        assert!(configured("").is_none());
        let kafka = configured("kafka_brokers = \"a:1,b:2\"").unwrap();
        assert_eq!((kafka.brokers.as_str(), kafka.topics.as_str()), ("a:1,b:2", "shop"));
        assert_eq!((kafka.partitions, kafka.replication), (2, 1));
        assert!(matches!(kafka.security, Security::Plaintext));
        let scram = "kafka_brokers = \"a:1\"\nkafka_security = \"scram\"\nkafka_ca_file = \"ca.crt\"
            kafka_username = \"jumun\"\nkafka_password = \"not a real one\"";
        let Security::Scram { ca, username, .. } = configured(scram).unwrap().security else {
            panic!("not SCRAM")
        };
        assert_eq!((ca, username.as_str()), (Some("ca.crt".into()), "jumun"));
    }
}
