//! Products.

use super::examples::*;
use super::testing::{Happened, given};
use crate::product::{Changed, Command, Created, Published, Unpublished};
use crate::text::LocalisedText;
use crate::{Kind, stock};

fn create() -> Created {
    product(PRODUCT_A, "A", krw(11_000))
}
fn change(change: Changed) -> Command {
    Command::Change { product_id: PRODUCT_A, change }
}
fn draft() -> Vec<Happened> {
    vec![
        of_product(PRODUCT_A, create()),
        of_stock("A", stock::Listed { sku: sku("A"), product_id: PRODUCT_A }),
    ]
}
fn published() -> Vec<Happened> {
    [draft(), vec![of_product(PRODUCT_A, Published {})]].concat()
}
const PUBLISH: Command = Command::Publish { product_id: PRODUCT_A };
const UNPUBLISH: Command = Command::Unpublish { product_id: PRODUCT_A };

#[test]
fn creating_lists_the_sku() {
    given([]).when(Command::Create(create())).then(draft());
}

#[test]
fn a_product_is_created_once() {
    given(draft()).when(Command::Create(create())).then_err("already-exists");
    given(published()).when(Command::Create(create())).then_err("already-exists");
}

#[test]
fn a_sku_belongs_to_one_product() {
    let refusal = given(draft()).when(Command::Create(product(PRODUCT_B, "A", krw(1)))).then_err("sku-taken");
    assert_eq!((refusal.kind, refusal.field), (Kind::Conflict, Some("/sku")));
}

#[test]
fn a_draft_may_lack_a_price() {
    let created = Created { prices: Vec::new(), ..create() };
    given([]).when(Command::Create(created.clone())).then([
        of_product(PRODUCT_A, created),
        of_stock("A", stock::Listed { sku: sku("A"), product_id: PRODUCT_A }),
    ]);
}

#[test]
fn prices_are_above_zero_and_one_per_currency() {
    for prices in [vec![krw(0)], vec![krw(-1)], vec![krw(1), usd(1), krw(2)]] {
        let created = Created { prices: prices.clone(), ..create() };
        let refusal = given([]).when(Command::Create(created)).then_err("invalid-amount");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/prices")));
        given(draft())
            .when(change(Changed { prices: Some(prices), ..Changed::default() }))
            .then_err("invalid-amount");
    }
}

#[test]
fn texts_keep_their_rules() {
    let pair = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let wrong = [
        ("/name", Changed { name: Some(LocalisedText::default()), ..Changed::default() }),
        ("/category", Changed { category: Some(" ".to_owned()), ..Changed::default() }),
        ("/category", Changed { category: Some("x".repeat(201)), ..Changed::default() }),
        ("/category", Changed { category: Some("nul \0".to_owned()), ..Changed::default() }),
        ("/brand", Changed { brand: Some(String::new()), ..Changed::default() }),
        ("/attributes", Changed { attributes: Some(pair("", "x")), ..Changed::default() }),
        ("/attributes", Changed { attributes: Some(pair("x", "")), ..Changed::default() }),
        (
            "/images",
            Changed { images: Some(vec!["http://example.com/a.png".to_owned()]), ..Changed::default() },
        ),
        ("/images", Changed { images: Some(vec!["https://a".to_owned(); 51]), ..Changed::default() }),
        ("/images", Changed { images: Some(vec!["https://a\n".to_owned()]), ..Changed::default() }),
    ];
    for (field, wrong) in wrong {
        let refusal = given(draft()).when(change(wrong)).then_err("invalid-text");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some(field)));
    }
    let attributes = (0..51).map(|number| (format!("key {number}"), "value".to_owned())).collect();
    given([]).when(Command::Create(Created { attributes, ..create() })).then_err("invalid-text");
}

#[test]
fn what_is_changed_is_recorded_on_sale_or_not() {
    let changed = Changed { prices: Some(vec![krw(9_900), usd(900)]), ..Changed::default() };
    for history in [draft(), published()] {
        given(history).when(change(changed.clone())).then([of_product(PRODUCT_A, changed.clone())]);
    }
}

#[test]
fn changing_nothing_is_nothing() {
    given(draft()).when(change(Changed::default())).then_nothing();
}

#[test]
fn what_is_on_sale_keeps_a_price() {
    let unpriced = Changed { prices: Some(Vec::new()), ..Changed::default() };
    let refusal = given(published()).when(change(unpriced.clone())).then_err("price-required");
    assert_eq!((refusal.kind, refusal.field), (Kind::Conflict, Some("/prices")));
    given(draft()).when(change(unpriced.clone())).then([of_product(PRODUCT_A, unpriced)]);
}

#[test]
fn publishing_needs_a_price() {
    given(draft()).when(PUBLISH).then([of_product(PRODUCT_A, Published {})]);
    let unpriced = [of_product(PRODUCT_A, Created { prices: Vec::new(), ..create() })];
    given(unpriced).when(PUBLISH).then_err("price-required");
}

#[test]
fn publishing_and_withdrawing_twice_is_doing_it_once() {
    given(published()).when(PUBLISH).then_nothing();
    given(published()).when(UNPUBLISH).then([of_product(PRODUCT_A, Unpublished {})]);
    given(draft()).when(UNPUBLISH).then_nothing();
}

#[test]
fn what_was_withdrawn_can_be_published_again() {
    let withdrawn = [published(), vec![of_product(PRODUCT_A, Unpublished {})]].concat();
    given(withdrawn).when(PUBLISH).then([of_product(PRODUCT_A, Published {})]);
}

#[test]
fn there_must_be_a_product() {
    let changed = Changed { category: Some("shoes".to_owned()), ..Changed::default() };
    for command in [PUBLISH, UNPUBLISH, change(changed), change(Changed::default())] {
        assert_eq!(given([]).when(command).then_err("not-found").kind, Kind::NotFound);
    }
}
