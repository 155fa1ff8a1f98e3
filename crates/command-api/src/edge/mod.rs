//! What every call needs at the edge: bodies without card numbers, texts parsed into the domain's types, who asks, how a command is
//! submitted and answered, and what OpenAPI says of all that.

mod body;
mod card_numbers;
mod common;
mod error;
mod openapi;
mod parse;
mod submit;
mod who;

pub(crate) use body::Body;
pub(crate) use common::{AddressBody, ContactBody, MoneyBody, Nothing, PiecesBody, pieces};
pub(crate) use error::log_failure;
pub(crate) use openapi::{
    Asking, AskingAnew, Conflicts, Forbidden, Malformed, Missing, NotWell, Preferring, TooLarge, TooMany,
    Unauthenticated,
};
pub(crate) use openapi::{describe_answers, described};
pub(crate) use parse::{checked, pieces_count, sku, text};
pub(crate) use submit::{Asked, answered, created, done, submit};
pub(crate) use who::{By, buyer, customer, present_buyer, staff};
