//! What buyers of a running shop get over HTTP, measured as `benches/commerce` measures Vendure and Medusa: the same catalogue,
//! the same flows, closed loops without a pause on the machine that the shop runs on as well. Beside it what those cannot be
//! asked: mixed traffic at a fixed rate, and how soon a query shows a command.

mod buyer;
mod catalogue;
mod chance;
mod closed;
mod figures;
mod mixed;
mod usage;
mod visible;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use futures::future::try_join_all;

use self::buyer::{Buyer, Until};
use self::catalogue::{Pages, Staff};
use self::closed::Flow;
use self::figures::Figures;
use crate::Shop;

const PIECES: u32 = 100;
/// How often the range of rates is halved when the first is not held.
const HALVINGS: u32 = 5;

/// So many guests at once open carts, one after the other, and look at each, for that long.
pub(crate) async fn guests(command_url: &str, query_url: &str, guests: usize, time: Duration) -> Result<()> {
    let begun = Instant::now();
    let loops = (0..guests).map(|_| async {
        let mut buyer = Buyer::comes_to(command_url, query_url).await?;
        while begun.elapsed() < time {
            let cart = buyer.opens().await?;
            buyer.sees(&format!("/v1/carts/{}", cart.id), &cart, &cart.token).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(loops).await.map(drop)
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder of the running `jumun up --demo`.
    #[arg(long)]
    data_dir: PathBuf,
    /// Seconds per figure.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Seconds before the first figure of a point.
    #[arg(long, default_value_t = 4)]
    warm_up: u64,
    /// Callers at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    callers: Vec<usize>,
    /// Buyers at once of the 100 pieces.
    #[arg(long, default_value_t = 500)]
    buyers: usize,
    /// Requests per second of mixed traffic. When they are not held, the highest rate that is.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Point::ALL)]
    points: Vec<Point>,
    /// A line of JSON per figure instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Point {
    /// Whole guest checkouts, until they are paid.
    Checkout,
    /// The same, until the order is placed.
    Placed,
    /// 100 pieces that everybody wants.
    Hot,
    Search,
    List,
    /// Searches that nobody has asked for before.
    SearchAnew,
    /// The same for lists.
    ListAnew,
    /// A command, and the query that shows it.
    Visible,
    Mixed,
}

impl Point {
    const ALL: [Self; 9] = [
        Self::Checkout,
        Self::Placed,
        Self::Hot,
        Self::Search,
        Self::List,
        Self::SearchAnew,
        Self::ListAnew,
        Self::Visible,
        Self::Mixed,
    ];
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// The shop that is measured, and what is in it.
struct World {
    shop: Shop,
    pages: Pages,
    seeds: AtomicU64,
    asked: AtomicU64,
}

impl World {
    /// The same page, asked for as nobody has for long: with a least price below all that there are.
    fn anew(&self, page: &str) -> String {
        format!("{page}&price_min={}", self.asked.fetch_add(1, Ordering::Relaxed) % 10_000)
    }

    /// A seed that no other caller gets.
    fn seed(&self) -> u64 {
        self.seeds.fetch_add(100_003, Ordering::Relaxed)
    }
}

/// Measures, on one thread of its own: what the generator does not need, the shop has.
pub(crate) fn measure(arguments: Arguments) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(all(arguments))
}

async fn all(arguments: Arguments) -> Result<()> {
    let shop = Shop::find(&arguments.data_dir)?;
    catalogue::seed(&shop).await?;
    let pages = Pages::walk(&shop).await?;
    let world = Arc::new(World { shop, pages, seeds: AtomicU64::new(1), asked: AtomicU64::new(0) });
    if !arguments.json {
        Figures::print_head();
    }
    for point in &arguments.points {
        match point {
            Point::Checkout => loops(&world, &arguments, Flow::Buy(Until::Paid)).await?,
            Point::Placed => loops(&world, &arguments, Flow::Buy(Until::Placed)).await?,
            Point::Search => loops(&world, &arguments, Flow::Search).await?,
            Point::List => loops(&world, &arguments, Flow::List).await?,
            Point::SearchAnew => loops(&world, &arguments, Flow::SearchAnew).await?,
            Point::ListAnew => loops(&world, &arguments, Flow::ListAnew).await?,
            Point::Hot => hot(&world, &arguments).await?,
            Point::Visible => visible(&world, &arguments).await?,
            Point::Mixed => mixed(&world, &arguments).await?,
        }
    }
    Ok(())
}

async fn loops(world: &Arc<World>, arguments: &Arguments, flow: Flow) -> Result<()> {
    closed::measure(world, flow, 8, Duration::from_secs(arguments.warm_up)).await?;
    for &callers in &arguments.callers {
        let time = Duration::from_secs(arguments.seconds);
        closed::measure(world, flow, callers, time).await?.print(arguments.json);
    }
    Ok(())
}

async fn hot(world: &Arc<World>, arguments: &Arguments) -> Result<()> {
    let sku = Staff::sign_in(&world.shop).await?.adds_scarce(PIECES).await?;
    let figures = closed::hot(world, &sku, arguments.buyers).await?;
    figures.print(arguments.json);
    let sold = figures.done.min(arguments.buyers);
    ensure!(sold == arguments.buyers.min(PIECES as usize), "{sold} orders of {PIECES} pieces");
    if figures.failed > 0 {
        bail!("{} buyers were told neither yes nor no", figures.failed);
    }
    Ok(())
}

async fn visible(world: &Arc<World>, arguments: &Arguments) -> Result<()> {
    for &callers in &arguments.callers {
        let figures = visible::measure(world, callers, Duration::from_secs(arguments.seconds)).await?;
        figures.iter().for_each(|figures| figures.print(arguments.json));
    }
    Ok(())
}

/// The rate that is asked for; when it is not held, the highest that is, as far as a few halvings tell.
async fn mixed(world: &Arc<World>, arguments: &Arguments) -> Result<()> {
    let time = Duration::from_secs(arguments.seconds);
    let (mut low, mut high) = (0, arguments.rate);
    let mut rate = high;
    for _ in 0..=HALVINGS {
        let figures = mixed::measure(world, rate, time).await?;
        figures.queries.print(arguments.json);
        figures.commands.print(arguments.json);
        if figures.is_held() {
            low = rate;
        } else {
            high = rate;
        }
        if low == high {
            break;
        }
        rate = u64::midpoint(low, high);
    }
    if arguments.json {
        println!("{}", serde_json::json!({"point": "mixed: highest rate held", "per_second": low}));
    } else {
        println!("mixed: {low} requests per second are held");
    }
    Ok(())
}
