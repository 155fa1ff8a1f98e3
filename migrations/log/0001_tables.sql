-- The log: everything that ever happened, in one order.

-- One row. Updated by every append and released by its commit, so that the order of positions is the order of commits.
-- Kept almost empty, so that its many versions stay on one page.
CREATE TABLE log.head (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch      uuid   NOT NULL,
    position   bigint NOT NULL CHECK (position >= 0),
    -- A node that came too late on some stream goes next; others wait for it, but no longer than this.
    turn_node  uuid,
    turn_until timestamptz
) WITH (fillfactor = 10);

INSERT INTO log.head (epoch, position) VALUES (gen_random_uuid(), 0);

CREATE TABLE log.events (
    position       bigint   PRIMARY KEY CHECK (position > 0),
    version        integer  NOT NULL CHECK (version > 0),
    schema_version smallint NOT NULL CHECK (schema_version > 0),
    stream         text COLLATE "C" NOT NULL,
    type           text COLLATE "C" NOT NULL,
    event_id       uuid     NOT NULL,
    recorded_at    timestamptz NOT NULL,
    scope          bigint   NOT NULL,
    command_id     uuid     NOT NULL,
    metadata       json     NOT NULL,
    data           json     NOT NULL,
    -- Personal data, sealed with the subject's key; both or neither. `sealed` alone may be null: forgotten before it was written.
    subject        uuid,
    sealed         bytea    CHECK (sealed IS NULL OR subject IS NOT NULL),
    UNIQUE (stream, version)
);

-- Every command that was acknowledged, with its first answer. `scope` keeps the keys of different callers apart.
CREATE TABLE log.commands (
    command_id     uuid   NOT NULL,
    scope          bigint NOT NULL,
    fingerprint    bytea  NOT NULL,
    first_position bigint,
    last_position  bigint,
    answer         json   NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (command_id, scope)
);

-- States of long streams, to load them faster. May be deleted at any time.
CREATE TABLE log.snapshots (
    stream       text COLLATE "C" PRIMARY KEY,
    version      integer  NOT NULL CHECK (version > 0),
    state_schema smallint NOT NULL,
    state        json     NOT NULL
);
