-- One row per customer. E-mail, name, phone and addresses are personal: gone when the customer is forgotten.
CREATE TABLE customers (
    customer_id   uuid        PRIMARY KEY,
    version       integer     NOT NULL,
    locale        text        NOT NULL,
    email         text,
    name          text,
    phone         text,
    addresses     jsonb       NOT NULL,
    registered_at timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    forgotten_at  timestamptz
);
