//! A cart becomes an order.

use super::{Command, check_new, stock_part};
use crate::cart::{self, Open};
use crate::command::{Decision, States};
use crate::ids::SubjectId;
use crate::order::{self, Line, contained_tax, shipping_fee};
use crate::{Event, Kind, Money, Owner, Personal, Refusal, StreamId, customer, payment, product, stock};

/// Every line reserved or none, prices, names and tax copied, the payment requested.
pub(super) fn decide(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let Command::PlaceOrder {
        order_id,
        payment_id,
        cart_id,
        by,
        delivery,
        shipping_method,
        gateway,
        token,
        reserved_until,
        ..
    } = command
    else {
        return Err(Refusal::not_loaded());
    };
    let cart_state = cart::state_of(states, *cart_id)?;
    if !cart_state.owner().is_some_and(|owner| owner.admits(by)) {
        return Err(cart::Error::Unknown.into());
    }
    let cart::State::Open(open) = cart_state else { return Err(cart::Error::Closed.into()) };
    check_not_forgotten(states, open)?;
    if open.items.is_empty() {
        return Err(Refusal::new(Kind::Conflict, "cart-empty", "this cart is empty"));
    }
    check_new(order::state_of(states, *order_id)?.known().is_some(), "order")?;
    check_new(payment::state_of(states, *payment_id)?.known().is_some(), "payment")?;
    let country = delivery.address.country.as_str();
    let lines = lines(states, open, country)?;
    check_stock(states, open)?;
    let zero = Money::zero(open.currency);
    let subtotal = lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.total))?;
    let method = shipping_method.as_deref().unwrap_or("standard");
    let fee = shipping_fee(method, subtotal)?.ok_or_else(|| {
        let detail = format!("{method:?} is not offered in {}", open.currency);
        Refusal::new(Kind::Invalid, "shipping-method-unavailable", detail).at("/shipping_method")
    })?;
    let tax = lines.iter().try_fold(contained_tax(fee, country)?, |sum, line| sum.checked_add(line.tax))?;
    let total = subtotal.checked_add(fee)?;
    let subject = match open.owner {
        Owner::Customer(customer) => SubjectId(customer.0),
        Owner::Guest(_) => SubjectId(order_id.0),
    };
    let placed = order::Placed {
        order_id: *order_id,
        cart_id: *cart_id,
        payment_id: *payment_id,
        owner: open.owner,
        locale: open.locale.clone(),
        lines,
        subtotal,
        shipping_method: method.to_owned(),
        shipping_fee: fee,
        tax,
        total,
        country: country.to_owned(),
        reserved_until: *reserved_until,
        subject,
        personal: Personal::Known(delivery.clone()),
    };
    let requested = payment::Requested {
        payment_id: *payment_id,
        order_id: *order_id,
        amount: total,
        gateway: gateway.clone(),
        subject,
        personal: Personal::Known(token.clone()),
    };
    let checked_out = cart::Event::from(cart::CheckedOut { order_id: *order_id });
    let decision = Decision::on(&StreamId::order(*order_id), [order::Event::from(placed)])
        .and(Decision::on(&StreamId::cart(*cart_id), [Event::from(checked_out)]))
        .and(Decision::on(&StreamId::payment(*payment_id), [payment::Event::from(requested)]));
    open.items.iter().try_fold(decision, |decision, (sku, item)| {
        let reserve = stock::Action::Reserve { order_id: *order_id, quantity: item.quantity };
        Ok(decision.and(stock_part(states, sku, reserve)?))
    })
}

/// Contact and address would be sealed with a key that is destroyed: nobody could send such an order. A token outlives its owner
/// for some minutes.
fn check_not_forgotten(states: &impl States, open: &Open) -> Result<(), Refusal> {
    match open.owner {
        Owner::Customer(id) if *customer::state_of(states, id)? == customer::State::Forgotten => {
            Err(customer::Error::Forgotten.into())
        }
        _ => Ok(()),
    }
}

/// The order's lines, with name, price and tax as they are now.
fn lines(states: &impl States, open: &Open, country: &str) -> Result<Vec<Line>, Refusal> {
    let line = |(sku, item): (&crate::text::Sku, &cart::Item)| -> Result<Line, Refusal> {
        let Some(offer) = product::state_of(states, item.product_id)?.on_sale() else {
            return Err(Refusal::new(Kind::Conflict, "not-for-sale", format!("{sku} is no longer on sale")));
        };
        let Some(unit_price) = offer.price(open.currency) else {
            return Err(Refusal::new(
                Kind::Conflict,
                "no-price",
                format!("{sku} has no price in {}", open.currency),
            ));
        };
        let total = unit_price.checked_mul(item.quantity)?;
        let tax = contained_tax(total, country)?;
        let (sku, product_id, name, quantity) =
            (sku.clone(), item.product_id, offer.name.clone(), item.quantity);
        Ok(Line { sku, product_id, name, quantity, unit_price, total, tax })
    };
    open.items.iter().map(line).collect()
}

/// All short SKUs are named at once, so that the buyer can mend the cart in one go.
fn check_stock(states: &impl States, open: &Open) -> Result<(), Refusal> {
    let mut short = Vec::new();
    for (sku, item) in &open.items {
        let available = stock::state_of(states, sku)?.available();
        if i64::from(item.quantity) > available {
            short.push(format!("{sku}: {} asked for, {available} available", item.quantity));
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(Kind::Conflict, "out-of-stock", format!("out of stock: {}", short.join("; "))))
}
