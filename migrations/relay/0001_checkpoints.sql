-- How far the log was published under each prefix of topics, and which relay publishes it now.
CREATE TABLE relay.checkpoints (
    topics      text COLLATE "C" PRIMARY KEY,
    epoch       uuid   NOT NULL,
    -- All of the log up to here is acknowledged by Kafka.
    position    bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- Grows whenever a relay takes the lead: with an older one nothing here can be moved any more.
    term        bigint NOT NULL DEFAULT 0,
    leader      uuid,
    -- By this database's clock. A leader that is frozen or dead has lost it then.
    leads_until timestamptz,
    CHECK ((leader IS NULL) = (leads_until IS NULL))
) WITH (fillfactor = 10);

-- The last record that was acknowledged in each partition, `orders/3/6`. It may be ahead of the position above.
CREATE TABLE relay.partitions (
    topics      text COLLATE "C" NOT NULL REFERENCES relay.checkpoints,
    lane        text COLLATE "C" NOT NULL,
    -- The last event in it; 0: there is none.
    last_event  bigint NOT NULL CHECK (last_event >= 0),
    -- The position of the last record, which may be a watermark, and its offset.
    through     bigint NOT NULL CHECK (through >= last_event),
    last_offset bigint NOT NULL CHECK (last_offset >= 0),
    PRIMARY KEY (topics, lane)
) WITH (fillfactor = 50);
