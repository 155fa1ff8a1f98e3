//! Tests of the whole domain: a file per aggregate in sentences, properties over random lives, golden histories, and the
//! contracts of events.

mod cart;
mod checkout;
mod contracts;
mod customer;
mod examples;
mod golden;
mod notification;
mod order;
mod payment;
mod product;
mod properties;
mod stock;
mod streams;
mod testing;
