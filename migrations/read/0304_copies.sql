-- Copies of read models beside the running ones. `next` is being built in the schema read_next_<model>; `old` is what was swapped
-- out into read_old_<model> and is kept for a while, `back` while it is swapped in again. `compared`: a next copy needs no
-- comparison any more.
CREATE TABLE copies (
    copy     uuid        PRIMARY KEY,
    model    text        NOT NULL,
    kind     text        NOT NULL CHECK (kind IN ('next', 'old', 'back')),
    version  integer     NOT NULL,
    epoch    uuid        NOT NULL,
    compared boolean     NOT NULL DEFAULT false,
    made_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (model, kind)
);

-- How far a copy has come, by part: a lane, or `share/0/2`, the first half of all streams. Written in the transaction of its rows.
CREATE TABLE copy_places (
    copy        uuid   NOT NULL REFERENCES copies ON DELETE CASCADE,
    part        text   NOT NULL COLLATE "C",
    position    bigint NOT NULL CHECK (position >= 0),
    next_offset bigint,
    PRIMARY KEY (copy, part)
);
