use super::shop::{failing, only, reserved, shop};
use crate::history::History;

/// As somebody could who owns the database.
async fn tamper(history: &History, sql: &str) {
    let sql = format!(
        "ALTER TABLE log.events DISABLE TRIGGER append_only; ALTER TABLE log.commands DISABLE TRIGGER append_only; {sql}"
    );
    history.damage(&sql).await;
}

fn said<'a>(failing: &'a [(String, String)], name: &str) -> &'a str {
    let found = failing.iter().find(|(found, _)| found == name);
    found.map(|(_, detail)| detail.as_str()).unwrap_or_else(|| panic!("{name:?} does not fail: {failing:#?}"))
}

#[tokio::test]
async fn an_event_that_was_taken_out_is_missed() {
    let history = shop().await;
    tamper(&history, "DELETE FROM log.events WHERE position = 10").await;
    let failing = failing(&history).await;
    assert_eq!(said(&failing, "positions are gapless"), "position 11 follows 9");
    assert_eq!(said(&failing, "versions are gapless"), "stock-AIR-MAX has version 5 after 3 at position 11");
    assert!(
        said(&failing, "every command has its events, once").contains("has not all of the positions 7 to 13")
    );
    assert!(said(&failing, "stock is what the log says").contains("stock"));
}

#[tokio::test]
async fn a_last_event_that_was_taken_out_is_missed() {
    let history = shop().await;
    tamper(&history, "DELETE FROM log.events WHERE position = 26").await;
    let failing = failing(&history).await;
    assert_eq!(said(&failing, "positions are gapless"), "the log ends at position 25, and its head says 26");
    assert!(said(&failing, "orders is what the log says").contains("differs in"));
}

#[tokio::test]
async fn an_event_of_another_command_is_found() {
    let history = shop().await;
    tamper(&history, "UPDATE log.events SET command_id = gen_random_uuid() WHERE position = 9").await;
    let said = only(&failing(&history).await, &["every command has its events, once"]);
    assert!(said[0].starts_with("position 9 is not one of its command "), "{said:?}");
}

#[tokio::test]
async fn a_command_that_was_taken_out_is_missed() {
    let history = shop().await;
    tamper(&history, "DELETE FROM log.commands WHERE first_position = 1").await;
    let said = only(&failing(&history).await, &["every command has its events, once"]);
    assert!(said[0].ends_with("and 3 more"), "{said:?}");
}

#[tokio::test]
async fn an_event_that_was_rewritten_differs_from_what_was_shown() {
    let history = shop().await;
    tamper(
        &history,
        "UPDATE log.events SET data = jsonb_set(data::jsonb, '{quantity}', '9') WHERE position = 4",
    )
    .await;
    let failing = failing(&history).await;
    let said = only(&failing, &["products is what the log says", "stock is what the log says"]);
    assert_eq!(said[1], "stock AIR-MAX differs in on_hand");
}

#[tokio::test]
async fn sealed_data_that_does_not_open_is_found_and_the_rest_is_checked() {
    let history = shop().await;
    tamper(&history, "UPDATE log.events SET sealed = sealed || '\\x00' WHERE position = 6").await;
    let failing = failing(&history).await;
    assert!(said(&failing, "every event can be read").starts_with("position 6: sealed data of subject "));
    // The event's frame is there, so that nothing else of the log is in doubt; no read model can be folded past it.
    assert_eq!(failing.len(), 1 + crate::models().len(), "{failing:#?}");
    assert!(said(&failing, "stock is what the log says").starts_with("cannot be folded from position 6"));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_found() {
    let history = shop().await;
    tamper(&history, "UPDATE log.events SET type = 'Nonsense' WHERE position = 26").await;
    let failing = failing(&history).await;
    let said = said(&failing, "every event can be read");
    assert!(said.starts_with("position 26: ") && said.contains("Nonsense"), "{said}");
}

#[tokio::test]
async fn stock_below_zero_is_found_whenever_it_was() {
    let mut history = shop().await;
    // Ten came, two went, one came back.
    history.append([reserved(10)]).await;
    let released = domain::stock::Released { order_id: crate::orders::examples::ORDER, quantity: 10 };
    history.append([super::shop::item(released)]).await;
    let said = only(&failing(&history).await, &["stock is never below zero"]);
    assert_eq!(said, ["stock-AIR-MAX has 9 on hand and 10 reserved at position 27"]);
}

#[tokio::test]
async fn more_let_go_than_held_is_found() {
    let mut history = shop().await;
    let released = domain::stock::Released { order_id: crate::orders::examples::ORDER, quantity: 1 };
    history.append([super::shop::item(released)]).await;
    let said = only(&failing(&history).await, &["stock is never below zero"]);
    assert_eq!(said, ["stock-AIR-MAX has 9 on hand and -1 reserved at position 27"]);
}
