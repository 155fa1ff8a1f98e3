use axum::extract::Query;
use domain::Currency;
use http_surface::Problem;
use http_surface::auth::Keys;
use projections::products::query::{Search, Sort};
use serde::de::DeserializeOwned;

use super::asked::{self, Asked, Shown, Typed};
use crate::error::Error;

fn keys() -> Keys {
    Keys::new(&[7; 32]).unwrap()
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, String> {
    let uri = format!("/?{query}").parse().unwrap();
    Query::<T>::try_from_uri(&uri).map(|query| query.0).map_err(|rejection| rejection.body_text())
}

fn search(query: &str) -> Result<Search, Error> {
    read::<Asked>(query).unwrap().search(&keys())
}

/// It is refused with 400, and the problem names the parameter.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, name: &str) {
    let problem = Problem::from(answer.unwrap_err());
    assert_eq!(problem.status, 400, "{problem:?}");
    assert!(problem.detail.starts_with(name), "{problem:?}");
}

#[test]
fn everything_that_can_be_asked_is_read() {
    let search = search(
        "q=%EC%9A%B4%EB%8F%99%ED%99%94&category=/shoes/&brand=Nike&price_min=1&price_max=2&in_stock=true&sort=price_desc\
         &locale=en-US&currency=USD&limit=7",
    )
    .unwrap();
    assert_eq!(search.q.as_deref(), Some("운동화"));
    assert_eq!((search.category.as_deref(), search.brand.as_deref()), (Some("shoes"), Some("Nike")));
    assert_eq!((search.price_min, search.price_max, search.in_stock), (Some(1), Some(2), Some(true)));
    assert_eq!((search.sort, search.limit), (Some(Sort::PriceDesc), 7));
    assert_eq!((search.locale.as_str(), search.currency.code()), ("en-US", "USD"));
}

#[test]
fn what_is_empty_is_left_out() {
    let search = search(
        "q=&category=/&brand=%20&price_min=&price_max=&in_stock=&sort=&locale=&currency=&cursor=&limit=",
    )
    .unwrap();
    assert_eq!((search.q, search.category, search.brand), (None, None, None));
    assert_eq!((search.price_min, search.price_max, search.in_stock, search.sort), (None, None, None, None));
    assert_eq!((search.locale.as_str(), search.currency, search.limit), ("ko", Currency::KRW, 20));
}

#[test]
fn what_breaks_a_rule_is_refused_by_name() {
    for (query, name) in [
        ("q=a%00b", "q"),
        ("brand=%00", "brand"),
        ("category=%1b", "category"),
        ("price_min=-1", "price_min"),
        ("price_max=1.5", "price_max"),
        ("price_max=9223372036854775808", "price_max"),
        ("price_min=3&price_max=2", "price_min"),
        ("in_stock=yes", "in_stock"),
        ("sort=cheapest", "sort"),
        ("locale=korean", "locale"),
        ("currency=krw", "currency"),
        ("currency=XYZ", "currency"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
    ] {
        refused(search(query), name);
    }
    refused(search(&format!("q={}", "a".repeat(201))), "q");
    assert!(search(&format!("q={}", "a".repeat(200))).is_ok());
}

#[test]
fn unknown_parameters_are_refused() {
    assert!(read::<Asked>("colour=red").unwrap_err().contains("colour"));
    assert!(read::<Shown>("q=a").unwrap_err().contains('q'));
    assert!(read::<Typed>("q=a&sort=name").unwrap_err().contains("sort"));
    assert!(read::<Typed>("").unwrap_err().contains('q'));
}

#[test]
fn a_cursor_is_good_for_the_search_it_was_given_for() {
    let key = serde_json::json!({"score": 0, "bought": 0, "created_at": "2026-01-01T00:00:00Z", "amount": null,
        "name": "a", "product_id": uuid::Uuid::nil()});
    let cursor = asked::cursor(&keys(), &search("q=a&sort=name").unwrap(), key).unwrap();
    assert!(search(&format!("q=a&sort=name&limit=5&cursor={cursor}")).unwrap().after.is_some());
    // A page that was kept holds the cursor of whoever asked first.
    let in_other_words = format!("q=%20a&sort=name&locale=ko&currency=KRW&category=/&cursor={cursor}");
    assert!(search(&in_other_words).unwrap().after.is_some());
    refused(search(&format!("q=a&sort=newest&cursor={cursor}")), "this cursor");
    refused(search("cursor=made-up"), "this cursor");
}

#[test]
fn recommendations_and_suggestions_are_few() {
    assert_eq!(read::<Typed>("q=a").unwrap().parse().unwrap().2, 10);
    assert_eq!(read::<Shown>("limit=50&currency=").unwrap().parse().unwrap().2, 50);
    refused(read::<Shown>("limit=51").unwrap().parse(), "limit");
    refused(read::<Typed>("q=a%00").unwrap().parse(), "q");
}
