//! The rules of customers.

use super::{
    AddressAdded, Command, EmailClaimed, EmailReleased, Event, Forgotten, ProfileChanged, ProfileEdit,
    Registered, State,
};
use crate::command::{Decision, States};
use crate::ids::{CustomerId, SubjectId};
use crate::{Kind, Personal, Refusal, StreamId};

/// No address book has more entries.
const ADDRESSES_MAX: usize = 50;

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Register first. Problem `not-found`.
    #[error("there is no such customer")]
    Unknown,
    /// Nothing can be done for somebody who was forgotten. Problem `forgotten`.
    #[error("this customer was forgotten")]
    Forgotten,
    /// Use another id. Problem `already-exists`.
    #[error("this customer exists already")]
    Exists,
    /// Sign in, or use another address. Problem `email-taken`.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// Remove one first. Problem `too-many-items`.
    #[error("an address book has at most {ADDRESSES_MAX} entries")]
    TooManyAddresses,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Kind::NotFound, "not-found", detail),
            Error::Forgotten => Self::new(Kind::NotFound, "forgotten", detail),
            Error::Exists => Self::new(Kind::Conflict, "already-exists", detail),
            Error::EmailTaken => Self::new(Kind::Conflict, "email-taken", detail).at("/email"),
            Error::TooManyAddresses => Self::new(Kind::Conflict, "too-many-items", detail),
        }
    }
}

/// Decides on the customer's own stream. Uniqueness of the e-mail address is decided in [`decide_over`].
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    let subject = SubjectId(command.customer_id().0);
    if let Command::Register { customer_id, email_index, locale, profile } = command {
        return match state {
            State::Unknown => Ok(vec![
                Registered {
                    customer_id: *customer_id,
                    subject,
                    email_index: email_index.clone(),
                    locale: locale.clone(),
                    personal: Personal::Known(profile.clone()),
                }
                .into(),
            ]),
            State::Active { .. } => Err(Error::Exists),
            State::Forgotten => Err(Error::Forgotten),
        };
    }
    let addresses = match state {
        State::Unknown => return Err(Error::Unknown),
        State::Forgotten => return Err(Error::Forgotten),
        State::Active { addresses, .. } => addresses,
    };
    match command {
        Command::Register { .. } => Err(Error::Exists),
        Command::ChangeProfile { name: None, phone: None, locale: None, .. } => Ok(Vec::new()),
        Command::ChangeProfile { customer_id, name, phone, locale } => {
            let personal = Personal::Known(ProfileEdit { name: name.clone(), phone: phone.clone() });
            Ok(vec![
                ProfileChanged { customer_id: *customer_id, subject, locale: locale.clone(), personal }
                    .into(),
            ])
        }
        Command::AddAddress { address_id, .. } if addresses.contains(address_id) => Ok(Vec::new()),
        Command::AddAddress { .. } if addresses.len() >= ADDRESSES_MAX => Err(Error::TooManyAddresses),
        Command::AddAddress { customer_id, address_id, address } => {
            let (customer_id, address_id, personal) =
                (*customer_id, *address_id, Personal::Known(address.clone()));
            Ok(vec![AddressAdded { customer_id, address_id, subject, personal }.into()])
        }
        Command::Forget { customer_id } => Ok(vec![Forgotten { customer_id: *customer_id, subject }.into()]),
    }
}

/// The loaded state of a customer.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of(states: &impl States, customer_id: CustomerId) -> Result<&State, Refusal> {
    match states.get(&StreamId::customer(customer_id)) {
        Some(crate::State::Customer(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

fn claim_of<'a>(states: &'a impl States, stream: &StreamId) -> Result<&'a super::email::State, Refusal> {
    match states.get(stream) {
        Some(crate::State::Email(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

/// Decides among loaded states, the claim on the e-mail address included.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let customer_id = command.customer_id();
    let state = state_of(states, customer_id)?;
    let own = Decision::on(&StreamId::customer(customer_id), decide(state, command)?);
    match command {
        Command::Register { email_index, .. } => {
            let stream = StreamId::email(email_index);
            if claim_of(states, &stream)?.owner().is_some() {
                return Err(Error::EmailTaken.into());
            }
            Ok(own.and(Decision::on(&stream, [Event::from(EmailClaimed { customer_id })])))
        }
        Command::Forget { .. } => {
            let Some(index) = state.email_index() else { return Ok(own) };
            Ok(own.and(Decision::on(&StreamId::email(index), [Event::from(EmailReleased { customer_id })])))
        }
        Command::ChangeProfile { .. } | Command::AddAddress { .. } => Ok(own),
    }
}
