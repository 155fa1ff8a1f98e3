-- What is still to be written to the search engine: the products whose documents show something else since they were last written.
-- `revision` grows with every change, so that what changes while it is being written stays in the queue. A product whose document
-- the search engine refuses is parked here with its error until it changes again or is retried.
CREATE SEQUENCE search_revision;
CREATE TABLE search_queue (
    product_id uuid        PRIMARY KEY,
    revision   bigint      NOT NULL,
    error      text,
    parked_at  timestamptz
) WITH (fillfactor = 80);
CREATE INDEX search_queue_waiting ON search_queue (revision) WHERE error IS NULL;

-- The search engine, as far as one is fed: one row, made when feeding begins. `version` is the version of the documents that were
-- made last; who makes some counts it up first and reads their rows while holding it. `epoch` and `position` are the place in the log
-- that all its documents have reached, `building` the index that is filled beside the one that is asked.
CREATE TABLE search_progress (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    version  bigint  NOT NULL,
    epoch    uuid,
    position bigint,
    building text
);

-- Queues products for the search engine. Nothing happens while none is fed, and nothing when the products of this session are not
-- those that are asked for: a fresh fold beside them, a rebuild in a schema of its own.
CREATE FUNCTION queue_for_search(product_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('products') IS DISTINCT FROM to_regclass('read.products')
        OR NOT EXISTS (SELECT FROM read.search_progress) THEN
        RETURN;
    END IF;
    INSERT INTO read.search_queue (product_id, revision)
    SELECT product_id, nextval('read.search_revision')
    FROM (SELECT DISTINCT product_id FROM unnest(product_ids) AS product_id ORDER BY product_id) ids
    -- A number taken here, under the lock of the row: the one above may be older than what is there.
    ON CONFLICT (product_id) DO UPDATE SET revision = nextval('read.search_revision'), error = NULL, parked_at = NULL;
END
$$;
