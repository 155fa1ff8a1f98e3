-- One row per payment: amounts in minor units of currency, and every call to the gateway with how it went.
CREATE TABLE payments (
    payment_id        uuid        PRIMARY KEY,
    order_id          uuid        NOT NULL,
    version           integer     NOT NULL,
    status            text        NOT NULL,
    gateway           text        NOT NULL,
    gateway_reference text,
    currency          text        NOT NULL,
    amount            bigint      NOT NULL,
    captured          bigint      NOT NULL,
    refunded          bigint      NOT NULL,
    disputed          bigint      NOT NULL,
    attempts          jsonb       NOT NULL,
    state             jsonb       NOT NULL,
    requested_at      timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX payments_by_order ON payments (order_id);
