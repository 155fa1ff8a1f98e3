//! Files and the plans that they make.

use domain::Currency;

use super::plan::{GiveBack, Invoice, Plan, Sale, make};
use super::table;

fn plan_in(currency: &str, lines: &[&str]) -> Plan {
    let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let text = format!("{header}{}", lines.join("\n"));
    make(table::read(&text), Currency::parse(currency).unwrap()).unwrap()
}

fn plan(lines: &[&str]) -> Plan {
    plan_in("GBP", lines)
}

fn sales(plan: &Plan) -> Vec<&Sale> {
    plan.invoices
        .iter()
        .filter_map(|invoice| if let Invoice::Sale(sale) = invoice { Some(sale) } else { None })
        .collect()
}

fn returns(plan: &Plan) -> Vec<&GiveBack> {
    plan.invoices
        .iter()
        .filter_map(|invoice| if let Invoice::GiveBack(back) = invoice { Some(back) } else { None })
        .collect()
}

/// SKU, pieces, price, lines of each item.
fn items(sale: &Sale) -> Vec<(&str, u32, i64, Vec<u64>)> {
    sale.items.iter().map(|item| (item.sku.as_str(), item.quantity, item.price, item.lines.clone())).collect()
}

#[track_caller]
fn rejected(plan: &Plan, line: u64, words: &str) {
    let reason = plan.rejected.get(&line).unwrap_or_else(|| panic!("line {line} is not rejected"));
    assert!(reason.contains(words), "line {line}: {reason}");
}

#[test]
fn lines_of_one_invoice_become_one_order_in_the_order_of_the_file() {
    let plan = plan(&[
        "1,A,Lamp,6,,2.55,17.0,United Kingdom",
        "2,A,Lamp,1,,2.50,,EIRE",
        "1,B,Cup,2,,1.00,17.0,United Kingdom",
    ]);
    let sales = sales(&plan);
    assert_eq!(items(sales[0]), [("A", 6, 255, vec![2]), ("B", 2, 100, vec![4])]);
    assert_eq!((sales[0].customer.as_deref(), sales[0].country.as_str()), (Some("17"), "GB"));
    assert_eq!(items(sales[1]), [("A", 1, 250, vec![3])]);
    assert_eq!((sales[1].customer.as_deref(), sales[1].country.as_str()), (None, "IE"));
    assert!(plan.rejected.is_empty(), "{:?}", plan.rejected);
}

#[test]
fn one_code_twice_is_added_up_and_at_two_prices_is_two_products() {
    let plan =
        plan(&["1,A,Lamp,6,,2.55,17,", "1,A,Lamp,4,,2.95,17,", "1,A,Lamp,1,,2.55,17,", "1,A,,2,,2.95,17,"]);
    assert_eq!(items(sales(&plan)[0]), [("A", 7, 255, vec![2, 4]), ("A@2.95", 6, 295, vec![3, 5])]);
    let products: Vec<_> = plan.products.iter().map(|p| (p.sku.as_str(), p.name.as_str(), p.price)).collect();
    assert_eq!(products, [("A", "Lamp", 255), ("A@2.95", "Lamp", 295)]);
}

#[test]
fn the_first_description_of_something_sold_names_it() {
    let plan =
        plan(&["1,A,damaged,-3,,0,,", "2,A,,1,,1,,", "3,A,Lamp,1,,1,,", "4,A,Other,1,,1,,", "5,B,,1,,1,,"]);
    let names: Vec<_> = plan.products.iter().map(|product| product.name.as_str()).collect();
    assert_eq!(names, ["Lamp", "B"]);
}

#[test]
fn what_cannot_be_played_is_rejected_by_line_and_the_rest_goes_on() {
    let plan = plan(&[
        "1,A,Lamp,0,,1.00,17,",
        "1,A,Lamp,-1,,1.00,17,",
        "1,A,Lamp,1,,0,17,",
        "1,A,Lamp,1,,-5.00,17,",
        "1,A,Lamp,10000,,1.00,17,",
        "1,A,Lamp,1,,1.00,18,",
        "1,A,Lamp,9999,,9223372036854775.80,17,",
        "1,A,Lamp",
        "1,A,Lamp,9999,,1.00,17,",
        "1,A,Lamp,1,,1.00,17,",
        "C9,A,Lamp,1,,1.00,17,",
    ]);
    for (line, words) in [
        (2, "not above 0"),
        (3, "no C invoice"),
        (4, "price is not above 0"),
        (5, "price is not above 0"),
        (6, "at most 9999 pieces"),
        (7, "another customer"),
        (8, "too large"),
        (9, "3 columns"),
        (11, "at most 9999 pieces"),
        (12, "is a C invoice"),
    ] {
        rejected(&plan, line, words);
    }
    assert_eq!(plan.rejected.len(), 10);
    assert_eq!(items(sales(&plan)[0]), [("A", 9_999, 100, vec![10])]);
    assert_eq!(plan.rows[&9].1, ["1", "A", "Lamp"], "the original line is kept");
}

#[test]
fn an_order_has_at_most_a_thousand_products() {
    let lines: Vec<String> = (0..1_002).map(|n| format!("1,P{n},Thing,1,,1.00,,")).collect();
    let plan = plan(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(sales(&plan)[0].items.len(), 1_000);
    rejected(&plan, 1_003, "at most 1000");
    assert_eq!(plan.products.len(), 1_000, "what is not sold needs no product");
}

#[test]
fn amounts_stay_within_64_bits_together() {
    let plan = plan(&["1,A,Lamp,1,,92233720368547758.07,,", "2,B,Cup,1,,0.01,,"]);
    assert_eq!(sales(&plan).len(), 1);
    rejected(&plan, 3, "too large");
}

#[test]
fn a_c_invoice_goes_back_to_the_oldest_orders_of_its_customer() {
    let plan = plan(&[
        "1,A,Lamp,6,,2.55,17,",
        "2,A,Lamp,6,,2.50,17,",
        "3,A,Lamp,6,,2.55,18,",
        "2,B,Cup,1,,1.00,17,",
        "C4,A,Lamp,-8,,2.50,17,",
        "C4,B,Cup,-1,,1.00,17,",
        "C5,A,Lamp,-5,,2.50,17,",
        "C6,A,Lamp,-1,,2.50,,",
        "C7,Z,Never,-1,,2.50,17,",
    ]);
    let back = returns(&plan);
    assert_eq!(back.len(), 1);
    let parts: Vec<_> = back[0]
        .parts
        .iter()
        .map(|part| {
            let pieces: Vec<_> = part.pieces.iter().map(|(sku, n)| (sku.as_str(), *n)).collect();
            (part.sale.as_str(), pieces, part.amount, part.lines.clone())
        })
        .collect();
    assert_eq!(
        parts,
        [("1", vec![("A", 6)], 1_500, vec![6]), ("2", vec![("A", 2), ("B", 1)], 600, vec![6, 7])]
    );
    rejected(&plan, 8, "only 4 pieces");
    rejected(&plan, 9, "without a customer");
    rejected(&plan, 10, "never bought");
}

#[test]
fn a_return_before_its_purchase_is_of_what_was_never_bought() {
    let plan = plan(&["C1,A,Lamp,-1,,1.00,17,", "2,A,Lamp,1,,1.00,17,"]);
    rejected(&plan, 2, "never bought");
    assert_eq!(plan.invoices.len(), 1);
}

#[test]
fn a_currency_without_decimals_keeps_its_prices_whole() {
    let plan = plan_in("KRW", &["1,A,Lamp,2,,12900,,Korea", "1,A,Lamp,2,,12900.5,,Korea"]);
    assert_eq!(items(sales(&plan)[0]), [("A", 2, 12_900, vec![2])]);
    rejected(&plan, 3, "more than 0 decimal places");
}

#[test]
fn a_country_that_nobody_knows_is_noted() {
    let plan = plan(&["1,A,Lamp,1,,1,,Atlantis", "2,A,Lamp,1,,1,,Atlantis"]);
    assert_eq!(sales(&plan)[0].country, "GB");
    assert_eq!(plan.unknown_countries, ["Atlantis"]);
}

#[test]
fn the_small_file_has_every_kind_of_dirt() {
    let text = table::decode(include_bytes!("../../../../tests/data/invoices-small.csv").to_vec());
    let plan = make(table::read(&text), Currency::parse("GBP").unwrap()).unwrap();
    let rejected: Vec<u64> = plan.rejected.keys().copied().collect();
    assert_eq!(
        rejected,
        [
            15, 16, 17, 19, 20, 21, 25, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 38, 39, 41, 43, 44, 45, 46,
            55, 56
        ]
    );
    assert_eq!((plan.rows.len(), sales(&plan).len(), returns(&plan).len()), (55, 11, 4));
    assert_eq!(plan.unknown_countries, ["Atlantis"]);
}
