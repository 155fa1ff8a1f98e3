-- The append, made lean: one call, one plan, no row built twice. What it promises is what 0003 says; that one stays for nodes of the
-- version before, as long as both run.
--
-- c_*: one entry per command; its events are c_first .. c_last (ordinals from 1; both null: none). e_*: one entry per event, in order
-- of position, whole. b_*: every stream that the batch looked at, with its version before the batch.
--
-- Answers one row:
--   appended: all of it, positions first_position..last_position
--   stale:    the streams in `stale` have moved on; nothing was done, and this node goes first for a moment: decide again, or ask
--             log.append_each
--   each:     not as it is; nothing was done: ask log.append_each, command by command
--   epoch:    the log is another one than the caller knows; nothing was done
--   yield:    another node goes first; nothing was done, try again
CREATE FUNCTION log.append_whole(
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
BEGIN
    BEGIN
        LOOP
            UPDATE log.head h SET position = h.position + events_count, turn_node = NULL
             WHERE h.only_row AND h.epoch = p_epoch
               AND (h.turn_node IS NULL OR h.turn_node = p_node OR h.turn_until < clock_timestamp())
            RETURNING h.position - events_count INTO base;
            EXIT WHEN FOUND;
            SELECT h.epoch, h.position INTO epoch, head FROM log.head h;
            tries := tries + 1;
            IF epoch <> p_epoch OR tries > 40 THEN
                outcome := CASE WHEN epoch = p_epoch THEN 'yield' ELSE 'epoch' END;
                RETURN NEXT;
                RETURN;
            END IF;
            -- Another node goes first. Nothing is held here while it does.
            PERFORM pg_sleep(0.0005);
        END LOOP;
        -- Somebody else has appended: what was looked at must still be so.
        IF base <> p_known THEN
            IF EXISTS (
                SELECT FROM unnest(b_stream, b_version) b (stream, version)
                 WHERE EXISTS (SELECT FROM log.events e WHERE e.stream = b.stream COLLATE "C" AND e.version > b.version)
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
        UPDATE log.head h SET turn_node = p_node, turn_until = clock_timestamp() + interval '20 milliseconds'
         WHERE h.only_row AND (h.turn_node IS NULL OR h.turn_until < clock_timestamp());
        SELECT h.epoch, h.position INTO epoch, head FROM log.head h;
        stale := ARRAY (
            SELECT b.stream FROM unnest(b_stream, b_version) b (stream, version)
             WHERE EXISTS (SELECT FROM log.events e WHERE e.stream = b.stream COLLATE "C" AND e.version > b.version)
        );
        -- What was done before has moved its own streams, and is to get its first answer.
        outcome := CASE WHEN EXISTS (
            SELECT FROM unnest(c_scope, c_id) c (scope, id) JOIN log.commands k ON k.command_id = c.id AND k.scope = c.scope
        ) THEN 'each' ELSE 'stale' END;
        RETURN NEXT;
        RETURN;
    WHEN unique_violation OR SQLSTATE 'JM001' THEN
        outcome := 'each'; epoch := p_epoch; head := base;
        RETURN NEXT;
        RETURN;
    END;
END $$;
