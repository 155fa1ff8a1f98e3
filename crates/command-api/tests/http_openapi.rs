//! The OpenAPI document says everything that the calls do.

use axum::http::Method;
use serde_json::Value;

use crate::shop::{Call, Shop};

async fn document() -> Value {
    let shop = Shop::open().await;
    shop.send(Call::new(Method::GET, "/openapi.json")).await.expect(200).body
}

#[tokio::test]
async fn every_call_is_described() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut calls: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                calls.push(format!("{method} {path}"));
            }
        }
    }
    calls.sort();
    let mut wanted = [
        "post /v1/customers",
        "post /v1/sessions",
        "post /v1/sessions/refresh",
        "delete /v1/sessions/current",
        "patch /v1/customers/me",
        "delete /v1/customers/me",
        "post /v1/customers/me/addresses",
        "post /v1/carts",
        "put /v1/carts/{id}/items/{sku}",
        "delete /v1/carts/{id}/items/{sku}",
        "post /v1/orders",
        "post /v1/orders/{id}/cancel",
        "post /v1/orders/{id}/returns",
        "post /v1/orders/{id}/returns/{return}/received",
        "post /v1/orders/{id}/refunds",
        "post /v1/orders/{id}/shipments",
        "post /v1/orders/{id}/shipments/{shipment}/delivered",
        "post /v1/products",
        "patch /v1/products/{id}",
        "post /v1/products/{id}/publish",
        "post /v1/products/{id}/unpublish",
        "post /v1/stock/{sku}/receipts",
        "post /v1/stock/{sku}/adjustments",
        "put /v1/stock/{sku}/reorder-point",
        "post /v1/webhooks/{gateway}",
    ];
    wanted.sort_unstable();
    assert_eq!(calls, wanted);
}

#[tokio::test]
async fn commands_name_their_headers_and_problems() {
    let document = document().await;
    let order = &document["paths"]["/v1/orders"]["post"];
    let names: Vec<_> =
        order["parameters"].as_array().unwrap().iter().map(|each| each["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Idempotency-Key", "If-Match", "Prefer"]);
    for status in ["201", "400", "401", "403", "404", "408", "409", "412", "413", "415", "422", "503"] {
        assert!(order["responses"].get(status).is_some(), "{status} is not described: {order:#}");
    }
    for header in ["Consistency-Token", "ETag", "Idempotency-Replayed"] {
        assert!(order["responses"]["201"]["headers"].get(header).is_some(), "{header}: {order:#}");
    }
    let problem = &order["responses"]["409"]["content"]["application/problem+json"]["schema"];
    assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{:#}", order["responses"]["409"]);
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
