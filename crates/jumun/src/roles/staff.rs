//! `jumun staff`: the people who run the shop.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use command_api::accounts::Accounts;
use domain::text::Email;
use http_surface::auth::Role;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::node::Node;
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// Whoever runs a shop has a longer password than this.
const PASSWORD_CHARACTERS_MIN: usize = 12;
/// A password is no longer.
const PASSWORD_BYTES_MAX: u64 = 1024;
/// Who may be added here. Customers register themselves, and guests need no account.
const ROLES: [Role; 4] = [Role::Staff, Role::Analyst, Role::Auditor, Role::Admin];

/// What can be done.
#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// Adds somebody; the password comes from JUMUN_STAFF_PASSWORD or standard input
    Add(Add),
}

/// Somebody new.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// With what they sign in
    #[arg(long)]
    email: String,
    /// What they may do: staff, analyst, auditor or admin; several times for several
    #[arg(long, required = true, value_parser = role)]
    role: Vec<Role>,
    /// The folder of a running `jumun up`; otherwise the configured database
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let Arguments::Add(add) = arguments;
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    let email = Email::parse(&add.email).context("--email")?;
    let node = Node::for_tool(add.data_dir, configuration)?;
    let store = node.store(2).await?;
    let password = password()?;
    let account = Uuid::now_v7();
    Accounts::new(store.pool().clone())
        .add(&store.email_index(&email), &password, account, &add.role)
        .await
        .context("nobody was added")?;
    let roles: Vec<_> = add.role.iter().map(|role| role.as_str()).collect();
    println!("{email} may sign in as {} (account {account})", roles.join(", "));
    Ok(ExitCode::SUCCESS)
}

fn role(name: &str) -> Result<Role, String> {
    let names = ROLES.map(Role::as_str).join(", ");
    Role::parse(name).filter(|role| ROLES.contains(role)).ok_or_else(|| format!("there are {names}"))
}

/// Never an argument: arguments are seen by everybody on the machine.
fn password() -> Result<SecretString> {
    let given = match std::env::var("JUMUN_STAFF_PASSWORD") {
        Ok(password) => password,
        Err(_) => {
            let mut input = std::io::stdin();
            if input.is_terminal() {
                eprintln!("Password (it is shown as it is typed; Enter and ctrl-D end it):");
            }
            let mut password = String::new();
            input.by_ref().take(PASSWORD_BYTES_MAX).read_to_string(&mut password)?;
            password
        }
    };
    let password = SecretString::from(given.trim_end_matches(['\r', '\n']));
    if password.expose_secret().chars().count() < PASSWORD_CHARACTERS_MIN {
        bail!("the password must have at least {PASSWORD_CHARACTERS_MIN} characters");
    }
    Ok(password)
}
