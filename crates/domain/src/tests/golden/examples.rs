//! Every event with every field, spelt out: a field that is added does not compile here until it has an example.

use super::super::examples::*;
use crate::customer::ProfileEdit;
use crate::ids::SubjectId;
use crate::notification::{Channel, Template};
use crate::payment::Operation;
use crate::text::LocalisedText;
use crate::{Event, Owner, Personal, cart, customer, notification, order, payment, product, stock};

/// The examples of one type.
pub(super) fn of(name: &str) -> Vec<Event> {
    all().into_iter().filter(|event| event.type_name() == name).collect()
}

fn all() -> Vec<Event> {
    [customers(), products(), stocks(), carts(), orders(), shipments(), payments(), refunds(), notices()]
        .concat()
}

fn customers() -> Vec<Event> {
    let (customer_id, subject) = (CUSTOMER, SubjectId(CUSTOMER.0));
    let changed =
        |personal| customer::ProfileChanged { customer_id, subject, locale: Some(locale("ja")), personal };
    let edit = ProfileEdit { name: Some(profile().name), phone: profile().phone };
    let added = |personal| customer::AddressAdded { customer_id, address_id: ADDRESS, subject, personal };
    let registered = customer::Registered {
        customer_id,
        subject,
        email_index: email_index(),
        locale: locale("ko"),
        personal: Personal::Known(profile()),
    };
    let events: Vec<customer::Event> = vec![
        registered.clone().into(),
        customer::Registered { personal: Personal::Forgotten, ..registered }.into(),
        changed(Personal::Known(edit)).into(),
        changed(Personal::Forgotten).into(),
        customer::ProfileChanged { locale: None, ..changed(Personal::Known(ProfileEdit::default())) }.into(),
        added(Personal::Known(address())).into(),
        added(Personal::Forgotten).into(),
        customer::Forgotten { customer_id, subject }.into(),
        customer::EmailClaimed { customer_id }.into(),
        customer::EmailReleased { customer_id }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn products() -> Vec<Event> {
    let names = || {
        LocalisedText::names([(locale("ko"), "신발".to_owned()), (locale("en"), "Shoe".to_owned())]).unwrap()
    };
    let texts = || LocalisedText::descriptions([(locale("en"), "Runs.".to_owned())]).unwrap();
    let attributes = || [("colour".to_owned(), "black".to_owned())].into();
    let images = || vec!["https://example.com/shoe.webp".to_owned()];
    let created = product::Created {
        product_id: PRODUCT_A,
        sku: sku("A"),
        name: names(),
        description: texts(),
        category: "shoes/running".to_owned(),
        brand: Some("Nike".to_owned()),
        attributes: attributes(),
        prices: vec![krw(11_000), usd(900)],
        images: images(),
    };
    let changed = product::Changed {
        name: Some(names()),
        description: Some(texts()),
        category: Some("shoes".to_owned()),
        brand: Some("Nike".to_owned()),
        attributes: Some(attributes()),
        prices: Some(vec![krw(9_900)]),
        images: Some(images()),
    };
    let events: Vec<product::Event> = vec![
        created.clone().into(),
        product::Created { brand: None, prices: Vec::new(), images: Vec::new(), ..created }.into(),
        changed.into(),
        product::Changed::default().into(),
        product::Published {}.into(),
        product::Unpublished {}.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn stocks() -> Vec<Event> {
    let (order_id, shipment_id, return_id) = (ORDER, SHIPMENT, RETURN);
    let events: Vec<stock::Event> = vec![
        stock::Listed { sku: sku("A"), product_id: PRODUCT_A }.into(),
        stock::Received { quantity: 12, reason: "stocktaking".to_owned() }.into(),
        stock::Adjusted { delta: -3, reason: "broken".to_owned() }.into(),
        stock::Reserved { order_id, quantity: 2 }.into(),
        stock::Released { order_id, quantity: 2 }.into(),
        stock::Shipped { order_id, shipment_id, quantity: 2 }.into(),
        stock::Restocked { order_id, return_id, quantity: 1 }.into(),
        stock::ReorderPointSet { quantity: 5 }.into(),
        stock::ReplenishmentNeeded { available: 4, reorder_point: 5 }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn carts() -> Vec<Event> {
    let opened =
        |owner| cart::Opened { cart_id: CART, owner, currency: crate::Currency::KRW, locale: locale("ko") };
    let events: Vec<cart::Event> = vec![
        opened(Owner::Customer(CUSTOMER)).into(),
        opened(Owner::Guest(CART)).into(),
        cart::ItemSet { sku: sku("A"), product_id: PRODUCT_A, quantity: 2 }.into(),
        cart::ItemRemoved { sku: sku("A") }.into(),
        cart::CheckedOut { order_id: ORDER }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn orders() -> Vec<Event> {
    let line = order::Line {
        sku: sku("A"),
        product_id: PRODUCT_A,
        name: LocalisedText::names([(locale("ko"), "신발".to_owned())]).unwrap(),
        quantity: 2,
        unit_price: krw(11_000),
        total: krw(22_000),
        tax: krw(2_000),
    };
    let placed = order::Placed {
        order_id: ORDER,
        cart_id: CART,
        payment_id: PAYMENT,
        owner: Owner::Customer(CUSTOMER),
        locale: locale("ko"),
        lines: vec![line],
        subtotal: krw(22_000),
        shipping_method: "standard".to_owned(),
        shipping_fee: krw(3_000),
        tax: krw(2_273),
        total: krw(25_000),
        country: "KR".to_owned(),
        reserved_until: minute(15),
        subject: SubjectId(CUSTOMER.0),
        personal: Personal::Known(delivery()),
    };
    let guest = order::Placed {
        owner: Owner::Guest(CART),
        subject: SubjectId(ORDER.0),
        personal: Personal::Forgotten,
        ..placed.clone()
    };
    let events: Vec<order::Event> = vec![
        placed.into(),
        guest.into(),
        order::Confirmed { payment_id: PAYMENT }.into(),
        order::PaymentFailed { reason: "declined".to_owned() }.into(),
        order::Cancelled { reason: "changed my mind".to_owned() }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn shipments() -> Vec<Event> {
    let lines = || vec![pieces("A", 2), pieces("B", 1)];
    let sent = order::ShipmentSent {
        shipment_id: SHIPMENT,
        lines: lines(),
        carrier: "CJ".to_owned(),
        tracking_number: "123".to_owned(),
    };
    let events: Vec<order::Event> = vec![
        sent.into(),
        order::ShipmentDelivered { shipment_id: SHIPMENT }.into(),
        order::ReturnRequested { return_id: RETURN, lines: lines(), reason: "too small".to_owned() }.into(),
        order::ReturnReceived { return_id: RETURN, refund: krw(27_500), restocked: true }.into(),
        order::Refunded { refund_id: REFUND, amount: krw(27_500) }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn payments() -> Vec<Event> {
    let requested = payment::Requested {
        payment_id: PAYMENT,
        order_id: ORDER,
        amount: krw(25_000),
        gateway: "sandbox".to_owned(),
        subject: SubjectId(CUSTOMER.0),
        personal: Personal::Known("approve".to_owned()),
    };
    let unknown = |operation| payment::OutcomeUnknown { operation, reason: "time-out".to_owned() };
    let capture =
        |shipment_id| payment::CaptureRequested { capture_id: CAPTURE, amount: krw(25_000), shipment_id };
    let events: Vec<payment::Event> = vec![
        requested.clone().into(),
        payment::Requested { personal: Personal::Forgotten, ..requested }.into(),
        unknown(Operation::Authorise).into(),
        unknown(Operation::Capture(CAPTURE)).into(),
        unknown(Operation::Void).into(),
        unknown(Operation::Refund(REFUND)).into(),
        payment::Authorised { gateway_reference: "gw-1".to_owned(), amount: krw(25_000) }.into(),
        payment::Failed { reason: "declined".to_owned() }.into(),
        capture(Some(SHIPMENT)).into(),
        capture(None).into(),
        payment::Captured { capture_id: CAPTURE, amount: krw(25_000) }.into(),
        payment::CaptureFailed { capture_id: CAPTURE, reason: "limit".to_owned() }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn refunds() -> Vec<Event> {
    let reason = || "return".to_owned();
    let events: Vec<payment::Event> = vec![
        payment::VoidRequested { reason: "the order was called off".to_owned() }.into(),
        payment::Voided {}.into(),
        payment::RefundRequested { refund_id: REFUND, amount: krw(11_000), reason: reason() }.into(),
        payment::Refunded { refund_id: REFUND, amount: krw(11_000) }.into(),
        payment::RefundFailed { refund_id: REFUND, reason: "account closed".to_owned() }.into(),
        payment::Disputed { dispute_id: DISPUTE, amount: usd(900), reason: "fraud".to_owned() }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}

fn notices() -> Vec<Event> {
    let requested = |template, channel| notification::Requested {
        notification_id: NOTICE,
        order_id: ORDER,
        template,
        channel,
        locale: locale("ko"),
        expires_at: minute(60),
    };
    let events: Vec<notification::Event> = vec![
        requested(Template::OrderConfirmed, Channel::Email).into(),
        requested(Template::PaymentFailed, Channel::Sms).into(),
        requested(Template::OrderCancelled, Channel::Email).into(),
        requested(Template::ShipmentSent, Channel::Sms).into(),
        requested(Template::ShipmentDelivered, Channel::Email).into(),
        requested(Template::Refunded, Channel::Email).into(),
        notification::Sent { provider_reference: "m-1".to_owned() }.into(),
        notification::Failed { reason: "no such mailbox".to_owned() }.into(),
    ];
    events.into_iter().map(Event::from).collect()
}
