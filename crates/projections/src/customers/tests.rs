use domain::customer::{AddressAdded, EmailIndex, Profile, ProfileChanged, ProfileEdit, Registered};
use domain::ids::AddressId;
use domain::text::{Email, Locale, PersonName, Phone};
use domain::{Event, Personal, StreamId};
use serde_json::json;
use uuid::Uuid;

use super::Customers;
use crate::orders::examples::{CUSTOMER, address, forgotten, subject};
use crate::orders::given::{at, given};

fn happened(event: impl Into<domain::customer::Event>) -> (StreamId, Event) {
    (StreamId::customer(CUSTOMER), Event::Customer(event.into()))
}

fn registered() -> Registered {
    Registered {
        customer_id: CUSTOMER,
        subject: subject(),
        email_index: EmailIndex::parse(&"ab".repeat(32)).unwrap(),
        locale: Locale::parse("ko").unwrap(),
        personal: Personal::Known(Profile {
            email: Email::parse("hong@example.com").unwrap(),
            name: PersonName::parse("홍길동").unwrap(),
            phone: None,
        }),
    }
}

fn moved_to_english() -> ProfileChanged {
    let edit = ProfileEdit { name: None, phone: Some(Phone::parse("+821012345678").unwrap()) };
    ProfileChanged {
        customer_id: CUSTOMER,
        subject: subject(),
        locale: Some(Locale::parse("en").unwrap()),
        personal: Personal::Known(edit),
    }
}

fn added() -> AddressAdded {
    let address_id = AddressId(Uuid::from_u128(3));
    AddressAdded {
        customer_id: CUSTOMER,
        address_id,
        subject: subject(),
        personal: Personal::Known(address()),
    }
}

#[tokio::test]
async fn a_customer_has_a_profile_and_an_address_book() {
    given(Customers, [happened(registered())])
        .await
        .then("customers", json!({"email": "hong@example.com", "name": "홍길동", "phone": null, "locale": "ko"}))
        .await
        .when([happened(moved_to_english()), happened(added())])
        .await
        .then("customers", json!({"name": "홍길동", "phone": "+821012345678", "locale": "en", "version": 3,
            "addresses": [{"address_id": Uuid::from_u128(3), "address": {"recipient": "홍길동", "line1": "세종대로 110",
                "city": "서울", "postal_code": "04524", "country": "KR"}}]}))
        .await
        .and_again()
        .await;
}

#[tokio::test]
async fn forgetting_leaves_nothing_personal_and_a_fresh_fold_agrees() {
    let sealed = [
        happened(Registered { personal: Personal::Forgotten, ..registered() }),
        happened(ProfileChanged { personal: Personal::Forgotten, ..moved_to_english() }),
        happened(AddressAdded { personal: Personal::Forgotten, ..added() }),
        forgotten(),
    ];
    let given = given(Customers, [happened(registered()), happened(moved_to_english()), happened(added())])
        .await
        .when([forgotten()])
        .await
        .then("customers", json!({"email": null, "name": null, "phone": null, "addresses": [], "version": 4}))
        .await
        .and_again()
        .await
        .equals_fresh(sealed)
        .await;
    let customer = super::query::find(&given.pool, CUSTOMER).await.unwrap().unwrap();
    assert_eq!(customer.forgotten_at, Some(at(4)));
}
