-- Two nodes on one stream: a turn lasts for more than one append, and nobody who waits for its own holds up the one that has it.
--
-- In 0006 a node that waited for the row of another's append, and was told after it that it is not its turn, kept that row locked while
-- it waited for its turn: the node whose turn it was waited for it until the turn was over, 20 ms. And a turn was over with one append,
-- so each batch of one node sent the other's back. Now a node that was sent back, and has loaded what it needs, goes on appending for
-- 40 ms, as long as it appends every 10 ms; then it is the other's turn.
ALTER TABLE log.head ADD COLUMN turn_began timestamptz;

CREATE OR REPLACE FUNCTION log.append_whole(
    p_epoch uuid, p_known bigint, p_node uuid,
    c_scope bigint[], c_id uuid[], c_fingerprint bytea[], c_answer json[], c_at timestamptz[], c_first int[], c_last int[],
    e_version int[], e_schema smallint[], e_stream text[], e_type text[], e_id uuid[], e_at timestamptz[], e_scope bigint[],
    e_command_id uuid[], e_metadata json[], e_data json[], e_subject uuid[], e_sealed bytea[],
    refused_scope bigint[], refused_id uuid[], b_stream text[], b_version int[]
) RETURNS TABLE (outcome text, epoch uuid, head bigint, stale text[]) LANGUAGE plpgsql VOLATILE
-- The arrays have no statistics: a plan of its own for each batch is never better, and takes as long as the append.
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    events_count bigint := coalesce(array_length(e_version, 1), 0);
    base         bigint;
    tries        int := 0;
    own_turn     boolean;
BEGIN
    BEGIN
        -- Another node goes first. Nothing is held here while it does: whoever is told by PostgreSQL, after waiting for the row, that
        -- it is not its turn, has locked the row all the same, and gives it back by an error.
        LOOP
            SELECT h.epoch, h.position, h.turn_node IS NULL OR h.turn_node = p_node OR h.turn_until < clock_timestamp()
              INTO epoch, head, own_turn FROM log.head h;
            EXIT WHEN epoch <> p_epoch OR own_turn;
            tries := tries + 1;
            IF tries > 80 THEN
                RAISE EXCEPTION 'turn' USING ERRCODE = 'JM003';
            END IF;
            PERFORM pg_sleep(0.0005);
        END LOOP;
        UPDATE log.head h SET
               position = h.position + events_count,
               turn_node = CASE WHEN h.turn_node = p_node AND clock_timestamp() < h.turn_began + interval '40 milliseconds'
                                THEN p_node END,
               turn_until = clock_timestamp() + interval '10 milliseconds'
         WHERE h.only_row AND h.epoch = p_epoch
           AND (h.turn_node IS NULL OR h.turn_node = p_node OR h.turn_until < clock_timestamp())
        RETURNING h.position - events_count INTO base;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'turn' USING ERRCODE = 'JM003';
        END IF;
        -- The log has lost its end in a failover: nothing that the node knows can be relied on, though nobody has said so yet.
        IF base < p_known THEN
            RAISE EXCEPTION 'lost' USING ERRCODE = 'JM004';
        END IF;
        -- Somebody else has appended: what was looked at must still be so.
        IF base <> p_known THEN
            IF EXISTS (
                SELECT FROM unnest(b_stream, b_version) b (stream, version)
                 WHERE b.version <> coalesce((SELECT max(e.version) FROM log.events e WHERE e.stream = b.stream COLLATE "C"), 0)
            ) THEN
                RAISE EXCEPTION 'moved' USING ERRCODE = 'JM002';
            END IF;
        END IF;
        -- A refusal of what was done before is no refusal: it gets the first answer.
        IF refused_id <> '{}' THEN
            IF EXISTS (
                SELECT FROM unnest(refused_scope, refused_id) c (scope, id)
                  JOIN log.commands k ON k.command_id = c.id AND k.scope = c.scope
            ) THEN
                RAISE EXCEPTION 'seen' USING ERRCODE = 'JM001';
            END IF;
        END IF;
        INSERT INTO log.commands (command_id, scope, fingerprint, first_position, last_position, answer, recorded_at)
        SELECT unnest(c_id), unnest(c_scope), unnest(c_fingerprint), base + unnest(c_first), base + unnest(c_last),
               unnest(c_answer), unnest(c_at);
        INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id,
                                metadata, data, subject, sealed)
        SELECT generate_series(base + 1, base + events_count), unnest(e_version), unnest(e_schema), unnest(e_stream),
               unnest(e_type), unnest(e_id), unnest(e_at), unnest(e_scope), unnest(e_command_id), unnest(e_metadata),
               unnest(e_data), unnest(e_subject), unnest(e_sealed);
        outcome := 'appended'; epoch := p_epoch; head := base + events_count;
        RETURN NEXT;
        RETURN;
    EXCEPTION WHEN SQLSTATE 'JM002' THEN
        UPDATE log.head h SET turn_node = p_node, turn_began = clock_timestamp(),
                              turn_until = clock_timestamp() + interval '40 milliseconds'
         WHERE h.only_row AND (h.turn_node IS NULL OR h.turn_until < clock_timestamp());
        SELECT h.epoch, h.position INTO epoch, head FROM log.head h;
        stale := ARRAY (
            SELECT b.stream FROM unnest(b_stream, b_version) b (stream, version)
             WHERE b.version <> coalesce((SELECT max(e.version) FROM log.events e WHERE e.stream = b.stream COLLATE "C"), 0)
        );
        -- What was done before has moved its own streams, and is to get its first answer.
        outcome := CASE WHEN EXISTS (
            SELECT FROM unnest(c_scope, c_id) c (scope, id) JOIN log.commands k ON k.command_id = c.id AND k.scope = c.scope
        ) THEN 'each' ELSE 'stale' END;
        RETURN NEXT;
        RETURN;
    WHEN SQLSTATE 'JM003' THEN
        SELECT h.epoch, h.position INTO epoch, head FROM log.head h;
        outcome := CASE WHEN epoch = p_epoch THEN 'yield' ELSE 'epoch' END;
        RETURN NEXT;
        RETURN;
    WHEN SQLSTATE 'JM004' THEN
        -- As a log with another epoch: look at it anew.
        outcome := 'epoch'; epoch := p_epoch; head := base;
        RETURN NEXT;
        RETURN;
    WHEN unique_violation OR SQLSTATE 'JM001' THEN
        outcome := 'each'; epoch := p_epoch; head := base;
        RETURN NEXT;
        RETURN;
    END;
END $$;
