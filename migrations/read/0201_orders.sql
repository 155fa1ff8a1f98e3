-- One row per order. What is filtered or sorted by has columns of its own; the rest is shown as it is folded.
-- contact and address are personal: they become null when their subject is forgotten.
CREATE TABLE orders (
    order_id   uuid        PRIMARY KEY,
    version    integer     NOT NULL,
    owner_kind text        NOT NULL,
    owner_id   uuid        NOT NULL,
    status     text        NOT NULL,
    currency   text        NOT NULL,
    total      bigint      NOT NULL,
    refunded   bigint      NOT NULL,
    placed_at  timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    document   jsonb       NOT NULL,
    state      jsonb       NOT NULL,
    subject    uuid        NOT NULL,
    contact    jsonb,
    address    jsonb
);
CREATE INDEX orders_newest ON orders (placed_at DESC, order_id DESC);
CREATE INDEX orders_newest_by_status ON orders (status, placed_at DESC, order_id DESC);
CREATE INDEX orders_newest_by_owner ON orders (owner_id, owner_kind, placed_at DESC, order_id DESC);
CREATE INDEX orders_by_subject ON orders (subject);

-- Who asked to be forgotten: an order of theirs that is placed at the same moment keeps nothing personal either.
CREATE TABLE forgotten_buyers (
    subject uuid PRIMARY KEY
);

-- Where in the log an order is spoken of outside its own, its payment's and its cart's streams: its reservations
-- in the streams of stock items, and its notices. The audit reads these positions from the log itself.
CREATE TABLE order_mentions (
    order_id uuid   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (order_id, position)
);
