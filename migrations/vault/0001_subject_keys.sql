-- The keys of personal data, one per person, each wrapped with the master key. A destroyed key leaves its row behind, so that
-- it is never made again.
CREATE TABLE vault.subject_keys (
    subject      uuid PRIMARY KEY,
    wrapped      bytea,
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- Which master key wraps them: a wrong one stops the start.
CREATE TABLE vault.master_key (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fingerprint bytea NOT NULL
);
