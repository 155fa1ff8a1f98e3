//! The demo's catalogue: twenty products in Korean and English, priced in won and dollars.

use anyhow::Result;
use domain::ids::ProductId;
use domain::product::{self, Created};
use domain::stock::{self, Action};
use domain::text::{Locale, LocalisedText, Sku};
use domain::{Command, Currency, Money};
use uuid::Uuid;

use super::items::{ITEMS, Item};

/// Commands under their names, to be given at once.
type Step = Vec<(String, Command)>;

/// What makes the catalogue, step by step.
pub(super) fn steps() -> Result<Vec<Step>> {
    let mut steps: [Step; 4] = Default::default();
    for item in ITEMS {
        let product_id = product_id(item.sku);
        let sku = Sku::parse(item.sku)?;
        let stock = |action| Command::Stock(stock::Command { sku: sku.clone(), action });
        let receive = Action::Receive { quantity: item.pieces, reason: "opening stock".to_owned() };
        let reorder = Action::SetReorderPoint { quantity: item.reorder_point };
        let commands = [
            ("create", Command::Product(product::Command::Create(item.created(&sku)?))),
            ("publish", Command::Product(product::Command::Publish { product_id })),
            ("receive", stock(receive)),
            ("reorder point", stock(reorder)),
        ];
        for (step, (what, command)) in steps.iter_mut().zip(commands) {
            step.push((format!("{what} {}", item.sku), command));
        }
    }
    Ok(steps.into())
}

fn product_id(sku: &str) -> ProductId {
    ProductId(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("jumun demo {sku}").as_bytes()))
}

impl Item {
    fn created(&self, sku: &Sku) -> Result<Created> {
        let (ko, en) = (Locale::parse("ko")?, Locale::parse("en")?);
        let both =
            |in_ko: &str, in_en: &str| [(ko.clone(), in_ko.to_owned()), (en.clone(), in_en.to_owned())];
        Ok(Created {
            product_id: product_id(self.sku),
            sku: sku.clone(),
            name: LocalisedText::names(both(self.ko, self.en))?,
            description: LocalisedText::descriptions(both(self.about_ko, self.about_en))?,
            category: self.category.to_owned(),
            brand: Some(self.brand.to_owned()),
            attributes: [("colour".to_owned(), self.colour.to_owned())].into(),
            prices: vec![
                Money::new(self.won, Currency::KRW),
                Money::new(self.cents, Currency::parse("USD")?),
            ],
            images: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_domain_accepts_all_of_it() {
        let mut states = HashMap::new();
        for (name, command) in steps().unwrap().into_iter().flatten() {
            for stream in command.streams(&states) {
                let category = stream.category();
                states.entry(stream).or_insert_with(|| domain::State::initial(category));
            }
            let decision = command.decide(&states).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            assert!(!decision.events.is_empty(), "{name}");
            for (stream, event) in decision.events {
                let state = states.remove(&stream).unwrap();
                states.insert(stream, state.evolve(&event));
            }
        }
    }

    #[test]
    fn a_search_for_trainers_in_korean_has_something_to_find() {
        assert!(
            ITEMS.iter().any(|item| item.ko.starts_with("나이키 에어맥스") && item.ko.ends_with("운동화"))
        );
    }
}
