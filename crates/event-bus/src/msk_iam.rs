//! Signing in to MSK: the token is an address of the cluster's region, signed with the credentials that AWS gives this process
//! (environment, web identity, container or instance role), and good for a quarter of an hour.

use std::error::Error;
use std::time::Duration;

use aws_msk_iam_sasl_signer::generate_auth_token;
use aws_types::region::Region;
use rdkafka::client::OAuthToken;

/// AWS's own services answer within milliseconds; a client that waits for its token serves nothing else.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A new token. Blocks until there is one, or none can be had.
///
/// The client asks on whatever thread serves it, which may be one of a runtime: so a thread with a runtime of its own does it.
pub(crate) fn token(region: &str) -> Result<OAuthToken, Box<dyn Error>> {
    let region = Region::new(region.to_owned());
    let signing = std::thread::spawn(move || -> Result<OAuthToken, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let signed = async { tokio::time::timeout(ANSWER_MAX, generate_auth_token(region)).await };
        let (token, lifetime_ms) = runtime
            .block_on(signed)
            .map_err(|_elapsed| "AWS gives no credentials in time".to_owned())?
            .map_err(|error| error.to_string())?;
        Ok(OAuthToken { token, principal_name: "jumun".to_owned(), lifetime_ms })
    });
    let signed = signing.join().map_err(|_| "signing has panicked; this is a defect")?;
    // A zero byte in it would not pass to the client.
    Ok(signed.map_err(|error| error.replace('\0', " "))?)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use rdkafka::ClientContext;

    use crate::connection::{Kafka, Security};

    /// Set in the process that is asked for a token: credentials come from its environment.
    const ASKED: &str = "JUMUN_TEST_SAYS_A_TOKEN";

    /// Does something only in that process.
    #[tokio::test]
    async fn says_a_token() {
        if std::env::var_os(ASKED).is_none() {
            return;
        }
        let security = Security::MskIam { region: "ap-northeast-2".to_owned(), ca: None };
        let (brokers, topics) = (String::new(), "t".to_owned());
        let session = Kafka { brokers, security, topics, partitions: 1, replication: 1 }.session();
        let token = session.generate_oauth_token(None).unwrap();
        println!("token {} {}", token.token, token.lifetime_ms);
    }

    fn said(secret: Option<&str>) -> (bool, String) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "msk_iam::tests::says_a_token", "--nocapture"])
            .env(ASKED, "yes")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/nowhere")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
        if let Some(secret) = secret {
            command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", secret);
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[test]
    fn a_token_is_a_signed_address_of_the_region() {
        let (ok, said) = said(Some("not-a-secret-of-anybody"));
        assert!(ok, "{said}");
        let mut words = said.lines().find_map(|line| line.split_once("token ")).unwrap().1.split(' ');
        let address = BASE64_URL_SAFE_NO_PAD.decode(words.next().unwrap()).unwrap();
        let address = String::from_utf8(address).unwrap();
        assert!(address.starts_with("https://kafka.ap-northeast-2.amazonaws.com/?"), "{address}");
        for part in [
            "Action=kafka-cluster%3AConnect",
            "X-Amz-Expires=900",
            "X-Amz-Signature=",
            "X-Amz-Credential=AKIDEXAMPLE%2F",
            "ap-northeast-2%2Fkafka-cluster%2Faws4_request",
        ] {
            assert!(address.contains(part), "{part} is not in {address}");
        }
        assert!(!address.contains("not-a-secret"));
        let left = words.next().unwrap().parse::<i64>().unwrap() - chrono::Utc::now().timestamp_millis();
        assert!((800_000..=900_000).contains(&left), "{left}");
    }

    #[test]
    fn without_credentials_there_is_no_token() {
        assert!(!said(None).0);
    }
}
