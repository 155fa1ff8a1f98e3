-- Streams that a read model cannot go on with: the first event of each that it could not take, and why. That one and all later ones of
-- the stream wait in the log; everything else flows. Written in the transaction of the rows and the progress of the rest.
CREATE TABLE parked (
    model     text        NOT NULL,
    stream    text        NOT NULL COLLATE "C",
    lane      text        NOT NULL COLLATE "C",
    position  bigint      NOT NULL,
    version   integer     NOT NULL,
    event_id  uuid        NOT NULL,
    type      text        NOT NULL,
    error     text        NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    tried_at  timestamptz,
    tries     integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (model, stream)
);
