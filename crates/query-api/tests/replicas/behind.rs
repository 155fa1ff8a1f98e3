//! A replica that falls behind is left out, and comes back by itself.

use std::time::Duration;

use domain::stock::Action;
use query_api::Patience;

use super::stack::Stack;

#[tokio::test]
async fn a_replica_that_lags_is_left_out_until_it_has_caught_up() {
    let stack = Stack::up().await;
    let patience = Patience { lag_max: Duration::from_millis(500), ..Patience::default() };
    let shop = stack.shop(patience).await;
    let sku = shop.product(1).await;
    stack.pause(1).await;
    shop.stock(&sku, Action::Receive { quantity: 6, reason: "test".to_owned() }).await;
    stack.lagging("replica-1").await;
    // The primary has it by now, and the other replica: nobody needs a token to see it.
    stack.caught_up(2).await;
    let path = format!("/v1/stock/{sku}");
    shop.get(&path, None).await.expect(200);
    let before = stack.answered("replica-1");
    for _ in 0..20 {
        assert_eq!(shop.get_with(&path, None, &[]).await.expect(200).json()["on_hand"], 7);
    }
    assert!(stack.answered("replica-1") <= before, "who lags has answered");
    stack.resume(1).await;
    stack.caught_up(1).await;
    stack.healthy("replica-1", true).await;
    for _ in 0..20 {
        assert_eq!(shop.get_with(&path, None, &[]).await.expect(200).json()["on_hand"], 7);
    }
    assert!(stack.answered("replica-1") > before, "who has caught up does not answer");
}
