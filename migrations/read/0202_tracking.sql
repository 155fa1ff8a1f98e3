-- The way of an order: each status with the time it was reached, and its shipments.
CREATE TABLE tracking (
    order_id   uuid    PRIMARY KEY,
    version    integer NOT NULL,
    owner_kind text    NOT NULL,
    owner_id   uuid    NOT NULL,
    status     text    NOT NULL,
    steps      jsonb   NOT NULL,
    shipments  jsonb   NOT NULL,
    state      jsonb   NOT NULL
);
