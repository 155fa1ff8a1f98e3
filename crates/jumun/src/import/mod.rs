//! `jumun import invoices`: plays a shop's invoices through the public API, as a client would.
//!
//! A file becomes a table of rows ([`table`]), lines ([`line`]) and a [`plan`], all without the shop; the [`player`] plays the plan,
//! and at the end [`reconciliation`] and [`logged`] compare what the file, the log and the query API say.

mod call;
mod catalogue;
mod country;
mod customers;
mod give_back;
mod journal;
mod keys;
mod line;
mod logged;
mod orders;
mod plan;
#[cfg(test)]
mod plan_tests;
mod player;
mod price;
mod progress;
mod purchases;
mod reconciliation;
mod rejects;
mod report;
mod returns;
mod sale;
mod shipping;
mod shop;
mod state;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use domain::Currency;

use call::{As, Call};
use journal::Journal;
use keys::Keys;
use logged::Compared;
use plan::Plan;
use player::Player;
use reconciliation::Sums;
use report::Report;
use shop::{Shop, Way};
use state::State;

/// So many calls of the command API are under way at once, where their order does not matter: it takes them as one batch.
const CALLS_AT_ONCE: usize = 32;

/// `jumun import invoices`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV file with the columns InvoiceNo, StockCode, Description, Quantity, UnitPrice, CustomerID and Country
    file: PathBuf,
    /// The folder of a running `jumun up`: tells addresses and tokens
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The command API, where there is no folder
    #[arg(long, value_name = "URL", requires = "query_url", requires = "token", conflicts_with = "data_dir")]
    command_url: Option<String>,
    /// The query API, where there is no folder
    #[arg(long, value_name = "URL", requires = "command_url")]
    query_url: Option<String>,
    /// A bearer token that may do what staff and analysts may, where there is no folder; `@FILE`: the file that holds it
    #[arg(long, requires = "command_url")]
    token: Option<String>,
    /// The currency of the prices (ISO 4217)
    #[arg(long, default_value = "GBP")]
    currency: String,
    /// Where rejected lines are written to, with their reasons
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Ends with one line of JSON
    #[arg(long)]
    json: bool,
}

/// Runs it. Exit status 0: file, log and query API say the same; 1: they differ; 2: it could not be finished.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match import(&arguments).await {
        Ok(report) => {
            if arguments.json {
                eprintln!("{}", report.text());
                println!("{}", report.json());
            } else {
                println!("{}", report.text());
            }
            Ok(ExitCode::from(u8::from(!report.is_equal())))
        }
        Err(error) => {
            eprintln!("the import is not finished: {error:#}");
            eprintln!("when the cause is mended, run it again: it goes on, and does nothing twice");
            Ok(ExitCode::from(2))
        }
    }
}

async fn import(arguments: &Arguments) -> Result<Report> {
    let currency = Currency::parse(&arguments.currency)
        .with_context(|| format!("--currency {:?}", arguments.currency))?;
    let bytes = std::fs::read(&arguments.file)
        .with_context(|| format!("{} cannot be read", arguments.file.display()))?;
    let digest = keys::digest(&bytes);
    let table = table::read(&table::decode(bytes));
    let header = table.header.clone();
    let plan = plan::make(table, currency)?;
    let way = way(arguments)?;
    let state = State::open(&way, &digest, currency.code())?;
    let keys = Keys::new(&digest, currency.code());
    let shop = Arc::new(Shop::open(way)?);
    let journal = Arc::new(state.journal);
    check_rights(&shop).await?;
    forget_another_shop(&shop, &journal).await?;
    let player = Player {
        shop: shop.clone(),
        keys,
        currency,
        journal: journal.clone(),
        customers: customers::Customers::new(shop.clone(), state.secret),
        catalogue: Arc::new(catalogue::Catalogue::new(shop.clone(), keys, currency)),
    };
    let progress = progress::Progress::new();
    Arc::new(player).play(&plan, &progress).await?;
    progress.end();
    let name = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    let default = state.folder.join(format!("{name}.rejected.csv"));
    let (plan, journal) = (&plan, &journal);
    let (compared, query) = look(plan, keys, &shop, journal).await?;
    let played = journal.look(|known| reconciliation::played(plan, known));
    let mut rejected = plan.rejected.clone();
    rejected.extend(played.rejected.clone());
    let text = rejects::text(&header, &plan.rows, &rejected)?;
    let rejects = rejects::write(arguments.rejects.as_deref(), &default, &arguments.file, &text)?;
    Ok(Report::new(plan, &played, compared, &query, rejected.len(), rejects))
}

/// What the log and the query API say.
async fn look(plan: &Plan, keys: Keys, shop: &Arc<Shop>, journal: &Journal) -> Result<(Compared, Sums)> {
    let logged = logged::read(shop, &logged::commands(plan, keys)).await?;
    let compared = journal.look(|known| logged.compare(plan, known))?;
    let query = reconciliation::of_query(shop, &compared.orders, logged.token.as_deref()).await?;
    Ok((compared, query))
}

fn way(arguments: &Arguments) -> Result<Way> {
    match (&arguments.data_dir, &arguments.command_url, &arguments.query_url, &arguments.token) {
        (Some(folder), ..) => Ok(Way::DataDir(folder.clone())),
        (None, Some(command_url), Some(query_url), Some(token)) => Ok(Way::Addresses {
            command_url: command_url.clone(),
            query_url: query_url.clone(),
            token: read_token(token)?,
        }),
        _ => {
            bail!("which shop? --data-dir of a running `jumun up`, or --command-url, --query-url and --token")
        }
    }
}

fn read_token(token: &str) -> Result<String> {
    let Some(path) = token.strip_prefix('@') else { return Ok(token.to_owned()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("--token: {path} cannot be read"))?;
    Ok(text.trim().to_owned())
}

/// Better at the beginning than at the end: without the log there is no reconciliation.
async fn check_rights(shop: &Shop) -> Result<()> {
    let event = shop.open_stream(&Call::get("/v1/events?limit=1", As::Analyst)).await;
    event.map(drop).map_err(|failure| failure.fatal("the log cannot be read"))
}

/// A journal about orders that this shop has never had was written about another shop, at the same place before. The log is asked:
/// a read model may be behind, or being rebuilt, and then has not got them yet.
async fn forget_another_shop(shop: &Shop, journal: &Journal) -> Result<()> {
    let order = journal.look(|known| known.done.values().flatten().next().cloned());
    let Some(order) = order else { return Ok(()) };
    let call = Call::get(format!("/v1/events?stream=order-{order}&limit=1"), As::Analyst);
    let response =
        shop.open_stream(&call).await.map_err(|failure| failure.fatal("the log cannot be read"))?;
    let events = response.bytes().await.context("the log cannot be read")?;
    if events.trim_ascii().is_empty() { journal.clear() } else { Ok(()) }
}
