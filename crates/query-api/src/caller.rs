//! Who asks, and what that lets them see.

use std::time::Duration;

use domain::{Actor, Owner};
use http_surface::auth::{Caller, Role};

use crate::error::Error;

/// Lets these roles pass, and admins.
pub(crate) fn require(caller: &Caller, roles: &[Role], whom: &'static str) -> Result<(), Error> {
    let passes = caller.has(Role::Admin) || roles.iter().any(|role| caller.has(*role));
    if passes { Ok(()) } else { Err(Error::Forbidden(whom)) }
}

/// Whether the caller works for the shop.
pub(crate) fn is_staff(caller: &Caller) -> bool {
    caller.has(Role::Staff) || caller.has(Role::Admin)
}

/// Whether the caller may see what that owner has: the owner, and the staff. Analysts and auditors have views of their own,
/// without personal data; this is not theirs.
pub(crate) fn may_see(caller: &Caller, owner: &Owner) -> bool {
    let buys = caller.has(Role::Customer) || caller.has(Role::Guest);
    is_staff(caller) || (buys && owner.admits(&caller.actor()))
}

/// As whom the caller owns carts and orders. The staff, analysts and auditors own none.
pub(crate) fn owner(caller: &Caller) -> Result<Owner, Error> {
    match caller.actor() {
        Actor::Customer(id) => Ok(Owner::Customer(id)),
        Actor::Guest(id) => Ok(Owner::Guest(id)),
        _ => Err(Error::Forbidden("buyers and the staff")),
    }
}

/// Ends when the caller's token does: what is streamed is not streamed to a token that is no longer valid.
pub(crate) async fn until_expiry(caller: &Caller) {
    let left = caller.expires_in();
    tokio::time::sleep(left.max(Duration::ZERO)).await;
}
