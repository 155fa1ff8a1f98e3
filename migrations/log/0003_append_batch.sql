-- Appends a batch of commands with their events, or says why not, command by command.
--
-- c_*: one entry per command. e_*: one entry per event, in order of position; e_command is its command's ordinal (from 1).
-- r_*: every stream that a command looked at, in order of the commands, with the version it saw. That may count events of
-- earlier commands of the batch: r_after is the ordinal of the last one with events in that stream, 0 for none. b_*: every
-- stream that the batch looked at, with its version before the batch.
--
-- Answers rows of (ordinal, outcome, …). Ordinal 0 is the batch itself:
--   appended: all of it, positions first_position..last_position (fast path; no further rows)
--   each:     one row per command follows: appended, unchanged, seen (with the first answer) or moved
--   epoch:    the log is another one than the caller knows; nothing was done
--   yield:    another node goes first; nothing was done, try again
CREATE FUNCTION log.append_batch(
    p_epoch uuid, p_known bigint, p_node uuid,
    c_scope bigint[], c_id uuid[], c_fingerprint bytea[], c_answer text[], c_record boolean[], c_at timestamptz[], c_metadata text[],
    e_command int[], e_stream text[], e_version int[], e_type text[], e_schema int[], e_id uuid[], e_data text[],
    e_subject uuid[], e_sealed bytea[],
    r_command int[], r_stream text[], r_version int[], r_after int[],
    b_stream text[], b_version int[]
) RETURNS TABLE (
    ordinal int, outcome text, epoch uuid, head bigint, first_position bigint, last_position bigint, fingerprint bytea, answer text
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    events_count bigint := coalesce(array_length(e_command, 1), 0);
    base         bigint;
    head_epoch   uuid;
BEGIN
    IF events_count = 0 AND NOT (true = ANY (c_record)) THEN
        RETURN QUERY SELECT * FROM log.verify_batch(p_epoch, p_known, c_scope, c_id, r_command, r_stream, r_version);
        RETURN;
    END IF;

    BEGIN
        UPDATE log.head h SET position = h.position + events_count, turn_node = NULL
         WHERE h.only_row AND h.epoch = p_epoch
           AND (h.turn_node IS NULL OR h.turn_node = p_node OR h.turn_until < clock_timestamp())
        RETURNING h.position - events_count INTO base;
        IF NOT FOUND THEN
            SELECT h.epoch, h.position INTO head_epoch, base FROM log.head h;
            RETURN QUERY SELECT 0, CASE WHEN head_epoch = p_epoch THEN 'yield' ELSE 'epoch' END,
                                head_epoch, base, NULL::bigint, NULL::bigint, NULL::bytea, NULL::text;
            RETURN;
        END IF;
        -- Somebody else has appended: what was looked at must still be so.
        IF base <> p_known AND EXISTS (
            SELECT FROM unnest(b_stream, b_version) b (stream, version)
             WHERE EXISTS (SELECT FROM log.events e WHERE e.stream = b.stream COLLATE "C" AND e.version > b.version)
        ) THEN
            RAISE EXCEPTION 'moved' USING ERRCODE = 'JM001';
        END IF;
        -- A refusal of what was done before is no refusal: it gets the first answer.
        IF EXISTS (
            SELECT FROM unnest(c_scope, c_id, c_record) c (scope, id, record) JOIN log.commands k ON k.command_id = c.id AND k.scope = c.scope
             WHERE NOT c.record
        ) THEN
            RAISE EXCEPTION 'seen' USING ERRCODE = 'JM001';
        END IF;
        INSERT INTO log.commands (command_id, scope, fingerprint, first_position, last_position, answer, recorded_at)
        SELECT c.id, c.scope, c.fingerprint, base + own.first, base + own.last, c.answer::json, c.at
          FROM unnest(c_scope, c_id, c_fingerprint, c_answer, c_record, c_at) WITH ORDINALITY
               c (scope, id, fingerprint, answer, record, at, ordinal)
          LEFT JOIN (SELECT e.command, min(e.ordinal) AS first, max(e.ordinal) AS last
                       FROM unnest(e_command) WITH ORDINALITY e (command, ordinal) GROUP BY e.command) own ON own.command = c.ordinal
         WHERE c.record;
        INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id,
                                metadata, data, subject, sealed)
        SELECT base + e.ordinal, e.version, e.schema_version, e.stream, e.type, e.id, c_at[e.command], c_scope[e.command],
               c_id[e.command], c_metadata[e.command]::json, e.data::json, e.subject, e.sealed
          FROM unnest(e_command, e_stream, e_version, e_type, e_schema, e_id, e_data, e_subject, e_sealed) WITH ORDINALITY
               e (command, stream, version, type, schema_version, id, data, subject, sealed, ordinal);
        RETURN QUERY SELECT 0, 'appended', p_epoch, base + events_count, base + 1, base + events_count, NULL::bytea, NULL::text;
        RETURN;
    EXCEPTION WHEN unique_violation OR SQLSTATE 'JM001' THEN
        NULL; -- one by one, below
    END;

    RETURN QUERY SELECT * FROM log.append_each(
        p_epoch, p_node, c_scope, c_id, c_fingerprint, c_answer, c_record, c_at, c_metadata,
        e_command, e_stream, e_version, e_type, e_schema, e_id, e_data, e_subject, e_sealed,
        r_command, r_stream, r_version, r_after);
END $$;
