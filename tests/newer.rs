//! Events of a newer program, while this one still runs: their streams are parked where anybody can see it, nothing of them is lost, and read
//! models and process managers go on with all others.

use sqlx::{Connection, PgConnection};

use crate::shop::{Shop, scaled};

/// Appends to a stream what this program does not know, as a newer one would: whole, or not at all.
const APPEND: &str = "WITH head AS (UPDATE log.head SET position = position + 1 RETURNING position),
    before AS (SELECT * FROM log.events WHERE stream = $1 ORDER BY version DESC LIMIT 1),
    command AS (INSERT INTO log.commands (command_id, scope, fingerprint, first_position, last_position, answer, recorded_at)
        SELECT $2, 7, '\\x00', position, position, '{}', now() FROM head)
    INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, metadata, data)
    SELECT head.position, before.version + 1, $4, before.stream, $3, gen_random_uuid(), now(), 7, $2, before.metadata, '{\"wrap\": 1}'
      FROM head, before";

async fn append(shop: &Shop, order: &str, kind: &str, schema: i16) {
    let mut database = PgConnection::connect(&shop.database_url).await.unwrap();
    let query = sqlx::query(APPEND).bind(format!("order-{order}")).bind(uuid::Uuid::new_v4());
    let done = query.bind(kind).bind(schema).execute(&mut database).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
}

async fn bought(shop: &Shop, sku: &str) -> (String, String) {
    let (cart, guest) = shop.guest_cart(sku, 1).await;
    let order = shop.order(&cart, &guest, "approve", 0).await.ok().text("/order_id");
    shop.wait_for_status(&order, &guest, "confirmed").await;
    (order, guest)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_program_has_written_is_parked_and_read_models_go_on() {
    let shop = Shop::open().await;
    let sku = shop.product(&shop.staff().await, 1_000, 10).await;
    let (new_type, guest) = bought(&shop, &sku).await;
    let (new_shape, _) = bought(&shop, &sku).await;
    append(&shop, &new_type, "OrderGiftWrapped", 1).await;
    append(&shop, &new_shape, "OrderCancelled", 99).await;
    // Behind both of them in the log: it is paid and confirmed as if they were not there.
    bought(&shop, &sku).await;
    let (code, parked) = shop.run(&["projection", "parked", "--json"]).await;
    assert_eq!(code, 0, "{parked}");
    for order in [&new_type, &new_shape] {
        assert!(parked.contains(order.as_str()), "{order} is not among {parked}");
    }
    let shown = shop.get(&format!("/v1/orders/{new_type}"), Some(&guest), None).await.expect(200);
    assert_eq!(shown.text("/status"), "confirmed", "as far as it was understood");
    let everything: &[&str] = if scaled() { &["verify", "--kafka"] } else { &["verify"] };
    let (code, said) = shop.run(everything).await;
    assert!(code == 1 && said.contains("parked"), "{said}");
    shop.close().await;
}
