//! The best that a peer's paged read could be: the table and the loop of `raw-sqlx` in `benches/peers`, beside ours.

use anyhow::Result;
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

/// Rows read at once.
const PAGE: usize = 1_000;

/// The order of `benches/peers`, about 300 bytes of JSON.
#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is what is measured")]
struct Order {
    order_id: Uuid,
    customer_id: Uuid,
    currency: String,
    total_cents: i64,
    channel: String,
    placed_at: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is what is measured")]
struct Line {
    sku: String,
    qty: i32,
    cents: i64,
}

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS public.ev (
    pos     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream  uuid  NOT NULL,
    version int   NOT NULL,
    type    text  NOT NULL,
    data    jsonb NOT NULL,
    UNIQUE (stream, version)
)";

const FILL: &str = r#"
INSERT INTO public.ev (stream, version, type, data)
SELECT gen_random_uuid(), 1, 'OrderPlaced', jsonb_build_object('order_id', gen_random_uuid(), 'customer_id', gen_random_uuid(),
       'currency', 'EUR', 'total_cents', 14970, 'channel', 'storefront', 'placed_at', '2026-11-23T05:32:05.123Z',
       'lines', '[{"sku": "SKU-000001", "qty": 1, "cents": 4990}, {"sku": "SKU-000002", "qty": 2, "cents": 4990}]'::jsonb)
  FROM generate_series(1, $1) WHERE NOT EXISTS (SELECT FROM public.ev)"#;

/// As many rows as are to be compared with.
pub(super) async fn fill(pool: &PgPool, rows: u64) -> Result<()> {
    sqlx::query(TABLE).execute(pool).await?;
    sqlx::query(FILL).bind(i64::try_from(rows)?).execute(pool).await?;
    sqlx::query("ANALYZE public.ev").execute(pool).await?;
    Ok(())
}

/// Reads all of it, decoded. Answers how many rows that were.
pub(super) async fn read(pool: &PgPool) -> Result<u64> {
    let (mut last, mut count) = (0_i64, 0);
    loop {
        let rows = sqlx::query(
            "SELECT pos, stream, version, type, data FROM public.ev WHERE pos > $1 ORDER BY pos LIMIT 1000",
        )
        .bind(last)
        .fetch_all(pool)
        .await?;
        for row in &rows {
            last = row.get(0);
            let all = (row.get::<Uuid, _>(1), row.get::<i32, _>(2), row.get::<String, _>(3));
            std::hint::black_box((all, row.get::<Json<Order>, _>(4)));
        }
        count += rows.len() as u64;
        if rows.len() < PAGE {
            return Ok(count);
        }
    }
}
