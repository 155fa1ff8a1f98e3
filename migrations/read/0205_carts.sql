-- One row per cart: what is in it, and how many. Prices are today's, and are joined when the cart is shown.
CREATE TABLE carts (
    cart_id    uuid        PRIMARY KEY,
    version    integer     NOT NULL,
    owner_kind text        NOT NULL,
    owner_id   uuid        NOT NULL,
    status     text        NOT NULL,
    order_id   uuid,
    currency   text        NOT NULL,
    locale     text        NOT NULL,
    items      jsonb       NOT NULL,
    opened_at  timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
