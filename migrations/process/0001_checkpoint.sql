-- How far the log was taken in, and who takes it in now. One row: whoever moves it writes the steps down in the same statement,
-- and only from the position that it thinks the row is at, so that two that both think they lead cannot both be right.
CREATE TABLE process.checkpoint (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch       uuid   NOT NULL,
    position    bigint NOT NULL CHECK (position >= 0),
    leader      uuid,
    -- By this database's clock. A leader that is frozen or dead has lost it then.
    leads_until timestamptz,
    CHECK ((leader IS NULL) = (leads_until IS NULL))
) WITH (fillfactor = 10);
