//! The demo's people. Their passwords are made once, at random, and kept for the owner of the folder.

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result};
use command_api::accounts::Accounts;
use command_api::engine::Engine;
use domain::Command;
use domain::customer::{self, Profile};
use domain::ids::CustomerId;
use domain::text::{Email, Locale, PersonName, Phone};
use event_store::EventStore;
use http_surface::auth::Role;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::say;
use crate::config::secrets::random_text;
use crate::data_dir::{DataDir, write_private};

/// Characters of a password: 96 random bits in hex.
const PASSWORD_CHARACTERS: usize = 24;

/// Somebody who can sign in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) email: String,
    #[serde(serialize_with = "exposed")]
    pub(crate) password: SecretString,
}

/// Only for the file that only its owner may read.
fn exposed<S: Serializer>(password: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password.expose_secret())
}

/// One for each role.
#[derive(Serialize, Deserialize)]
pub(crate) struct People {
    staff: Person,
    auditor: Person,
    analyst: Person,
    customer: Person,
}

impl People {
    /// With the names of their roles.
    pub(crate) fn each(&self) -> [(&'static str, &Person); 4] {
        [
            ("staff", &self.staff),
            ("auditor", &self.auditor),
            ("analyst", &self.analyst),
            ("customer", &self.customer),
        ]
    }

    fn invent() -> Result<Self> {
        let person = |role: &str| -> Result<Person> {
            let password = random_text()?.expose_secret()[..PASSWORD_CHARACTERS].to_owned().into();
            Ok(Person { email: format!("{role}@demo.example"), password })
        };
        Ok(Self {
            staff: person("staff")?,
            auditor: person("auditor")?,
            analyst: person("analyst")?,
            customer: person("customer")?,
        })
    }
}

/// A table for whoever has loaded the demo, and for nobody's log.
impl Display for People {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  sign in as    with")?;
        for (role, person) in self.each() {
            writeln!(f, "  {role:<12}  {:<24}  {}", person.email, person.password.expose_secret())?;
        }
        Ok(())
    }
}

/// Those of the last time, else new ones. The file is written last: while it is not there, nobody was told a password.
pub(super) async fn load(
    engine: &Engine,
    store: &EventStore,
    accounts: &Accounts,
    data: &DataDir,
) -> Result<People> {
    let path = data.demo_json();
    if let Ok(bytes) = std::fs::read(&path) {
        return serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not what `jumun up --demo` writes", path.display()));
    }
    let people = People::invent()?;
    for (name, person) in people.each() {
        let email = Email::parse(&person.email)?;
        let account = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("jumun demo {name}").as_bytes());
        let role = Role::parse(name).with_context(|| format!("there is no role {name}"))?;
        if role == Role::Customer {
            say(engine, format!("register {name}"), register(store, account, &email)?).await?;
        }
        // A start that was broken off here has left a password that nobody knows: this one takes its place.
        accounts.add(&store.email_index(&email), &person.password, account, &[role]).await?;
    }
    write_private(&path, &serde_json::to_vec_pretty(&people)?)?;
    Ok(people)
}

fn register(store: &EventStore, account: Uuid, email: &Email) -> Result<Command> {
    Ok(Command::Customer(customer::Command::Register {
        customer_id: CustomerId(account),
        email_index: store.email_index(email),
        locale: Locale::parse("ko")?,
        profile: Profile {
            email: email.clone(),
            name: PersonName::parse("김주문")?,
            phone: Some(Phone::parse("+821012345678")?),
        },
    }))
}
