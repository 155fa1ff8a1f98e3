//! One customer as they see themselves, and how each event changes it.

use domain::customer::{AddressAdded, Event, Forgotten, ProfileChanged, Registered};
use domain::ids::AddressId;
use domain::{Address, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AddressBookEntry)]
pub struct BookEntry {
    /// The entry.
    #[schema(value_type = Uuid)]
    pub address_id: AddressId,
    /// The address; `null` when forgotten.
    #[schema(value_type = Option<crate::orders::schema::Address>)]
    pub address: Option<Address>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) customer_id: Uuid,
    pub(crate) version: i32,
    pub(crate) locale: String,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    #[sqlx(json)]
    pub(crate) addresses: Vec<BookEntry>,
    pub(crate) registered_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) forgotten_at: Option<Time>,
}

impl Row {
    /// The row of a new customer.
    pub(crate) fn registered(event: &Registered, version: i32, at: Time) -> Self {
        let profile = event.personal.known();
        Self {
            customer_id: event.customer_id.0,
            version,
            locale: event.locale.as_str().to_owned(),
            email: profile.map(|profile| profile.email.as_str().to_owned()),
            name: profile.map(|profile| profile.name.as_str().to_owned()),
            phone: profile.and_then(|profile| profile.phone.as_ref()).map(|phone| phone.as_str().to_owned()),
            addresses: Vec::new(),
            registered_at: at,
            updated_at: at,
            forgotten_at: None,
        }
    }

    /// The row after one more event.
    pub(crate) fn evolve(mut self, event: &Event, version: i32, at: Time) -> Self {
        match event {
            Event::ProfileChanged(changed) => self.change(changed),
            Event::AddressAdded(added) => self.add(added),
            Event::Forgotten(Forgotten { .. }) => self.forget(at),
            Event::Registered(_) | Event::EmailClaimed(_) | Event::EmailReleased(_) => {}
        }
        self.version = version;
        self.updated_at = at;
        self
    }

    fn change(&mut self, changed: &ProfileChanged) {
        if let Some(locale) = &changed.locale {
            locale.as_str().clone_into(&mut self.locale);
        }
        let Some(edit) = changed.personal.known() else { return };
        if let Some(name) = &edit.name {
            self.name = Some(name.as_str().to_owned());
        }
        if let Some(phone) = &edit.phone {
            self.phone = Some(phone.as_str().to_owned());
        }
    }

    fn add(&mut self, added: &AddressAdded) {
        let address = added.personal.known().cloned();
        self.addresses.push(BookEntry { address_id: added.address_id, address });
    }

    /// Nothing personal stays. What a fresh fold read as forgotten already ends the same here.
    fn forget(&mut self, at: Time) {
        self.email = None;
        self.name = None;
        self.phone = None;
        self.addresses.clear();
        self.forgotten_at = Some(at);
    }
}
