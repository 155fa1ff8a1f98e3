-- What must be done, each once. A step is claimed for a while, by this database's clock; whoever stops renewing the claim loses it.
CREATE TABLE process.steps (
    key            text COLLATE "C" PRIMARY KEY,
    step           json NOT NULL,
    -- The event that it follows from, and what its commands say of where they come from.
    cause_position bigint NOT NULL,
    cause_event_id uuid   NOT NULL,
    correlation_id uuid   NOT NULL,
    traceparent    text,
    caused_at      timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    claimed_by     uuid,
    claimed_until  timestamptz,
    done_at        timestamptz,
    -- It cannot be done and somebody must look. Set back to null, it is tried again.
    attention_at   timestamptz,
    last_error     text,
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CHECK (done_at IS NULL OR attention_at IS NULL)
) WITH (fillfactor = 70);

CREATE INDEX steps_open ON process.steps (due_at) WHERE done_at IS NULL AND attention_at IS NULL;
CREATE INDEX steps_claimed ON process.steps (claimed_by) WHERE claimed_by IS NOT NULL;
-- Deleted when they were done long ago.
CREATE INDEX steps_done ON process.steps (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX steps_attention ON process.steps (attention_at) WHERE attention_at IS NOT NULL;
