//! Who asks, and what that lets them see.

use domain::{Actor, Owner};
use http_surface::Problem;
use http_surface::auth::{Caller, Role};

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
pub(crate) fn owner(caller: &Caller) -> Result<Owner, Problem> {
    match caller.actor() {
        Actor::Customer(id) => Ok(Owner::Customer(id)),
        Actor::Guest(id) => Ok(Owner::Guest(id)),
        _ => Err(Problem::forbidden("this is for buyers and the staff only")),
    }
}

/// Ends when the caller's token does: what is streamed is not streamed to a token that is no longer valid.
pub(crate) async fn until_expiry(caller: Caller) {
    tokio::time::sleep(caller.expires_in()).await;
}
