-- One row per stock item, in pieces. Reservations are a sum here: an item that everybody wants has a small row all the same.
CREATE TABLE stock (
    sku           text        PRIMARY KEY,
    product_id    uuid        NOT NULL,
    version       integer     NOT NULL,
    on_hand       bigint      NOT NULL,
    reserved      bigint      NOT NULL,
    reorder_point bigint      NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK (reserved >= 0 AND on_hand >= reserved)
);

-- One row per alert: available fell to the reorder point. Open until goods come in or another reorder point is set.
CREATE TABLE replenishment_alerts (
    position      bigint      PRIMARY KEY,
    sku           text        NOT NULL,
    available     bigint      NOT NULL,
    reorder_point bigint      NOT NULL,
    raised_at     timestamptz NOT NULL,
    resolved_at   timestamptz
);
CREATE INDEX replenishment_alerts_open ON replenishment_alerts (sku) WHERE resolved_at IS NULL;
CREATE INDEX replenishment_alerts_newest ON replenishment_alerts (position DESC) WHERE resolved_at IS NULL;
