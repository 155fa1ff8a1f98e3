-- The slow path of an append, in turn: when the fast path gives up, its lock of the head goes with it, and another node may have been
-- given the turn before this one is asked. It took the turn from that node then, and of three nodes on one stream each sent the others back.
CREATE OR REPLACE FUNCTION log.append_each(
    p_epoch uuid, p_node uuid,
    c_scope bigint[], c_id uuid[], c_fingerprint bytea[], c_answer text[], c_record boolean[], c_at timestamptz[], c_metadata text[],
    e_command int[], e_stream text[], e_version int[], e_type text[], e_schema int[], e_id uuid[], e_data text[],
    e_subject uuid[], e_sealed bytea[],
    r_command int[], r_stream text[], r_version int[], r_after int[]
) RETURNS TABLE (
    ordinal int, outcome text, epoch uuid, head bigint, first_position bigint, last_position bigint, fingerprint bytea, answer text
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    at_position bigint;
    head_epoch  uuid;
    seen        log.commands;
    event_from  int := 1;
    event_to    int;
    events_all  int := coalesce(array_length(e_command, 1), 0);
    read_from   int := 1;
    read_to     int;
    reads_all   int := coalesce(array_length(r_command, 1), 0);
    appended    boolean[] := array_fill(false, ARRAY[array_length(c_id, 1)]);
    any_moved   boolean := false;
    others_turn boolean;
BEGIN
    SELECT h.position, h.epoch, h.turn_node IS DISTINCT FROM p_node AND h.turn_until >= clock_timestamp() AND h.turn_node IS NOT NULL
      INTO at_position, head_epoch, others_turn
      FROM log.head h WHERE h.only_row FOR UPDATE;
    IF head_epoch <> p_epoch THEN
        RETURN QUERY SELECT 0, 'epoch', head_epoch, at_position, NULL::bigint, NULL::bigint, NULL::bytea, NULL::text;
        RETURN;
    END IF;
    IF others_turn THEN
        RETURN QUERY SELECT 0, 'yield', head_epoch, at_position, NULL::bigint, NULL::bigint, NULL::bytea, NULL::text;
        RETURN;
    END IF;
    FOR i IN 1 .. array_length(c_id, 1) LOOP
        -- This command's events are event_from .. event_to - 1.
        event_to := event_from;
        WHILE event_to <= events_all AND e_command[event_to] = i LOOP
            event_to := event_to + 1;
        END LOOP;
        -- What it looked at is read_from .. read_to - 1.
        read_to := read_from;
        WHILE read_to <= reads_all AND r_command[read_to] = i LOOP
            read_to := read_to + 1;
        END LOOP;
        ordinal := i; epoch := head_epoch; head := NULL;
        first_position := NULL; last_position := NULL; fingerprint := NULL; answer := NULL;
        SELECT * INTO seen FROM log.commands c WHERE c.command_id = c_id[i] AND c.scope = c_scope[i];
        IF FOUND THEN
            outcome := 'seen'; first_position := seen.first_position; last_position := seen.last_position;
            fingerprint := seen.fingerprint; answer := seen.answer::text;
        ELSIF EXISTS (
            SELECT FROM generate_series(read_from, read_to - 1) n
             WHERE (r_after[n] > 0 AND NOT appended[r_after[n]])
                OR r_version[n] <> coalesce((SELECT max(e.version) FROM log.events e WHERE e.stream = r_stream[n] COLLATE "C"), 0)
        ) THEN
            outcome := 'moved'; any_moved := true;
        ELSIF NOT c_record[i] OR event_to = event_from THEN
            IF c_record[i] THEN
                INSERT INTO log.commands (command_id, scope, fingerprint, answer, recorded_at)
                VALUES (c_id[i], c_scope[i], c_fingerprint[i], c_answer[i]::json, c_at[i]);
            END IF;
            outcome := 'unchanged'; last_position := at_position;
        ELSE
            INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id,
                                    metadata, data, subject, sealed)
            SELECT at_position + 1 + n - event_from, e_version[n], e_schema[n], e_stream[n], e_type[n], e_id[n], c_at[i], c_scope[i],
                   c_id[i], c_metadata[i]::json, e_data[n]::json, e_subject[n], e_sealed[n]
              FROM generate_series(event_from, event_to - 1) n;
            appended[i] := true;
            outcome := 'appended'; first_position := at_position + 1;
            at_position := at_position + event_to - event_from;
            last_position := at_position;
            INSERT INTO log.commands (command_id, scope, fingerprint, first_position, last_position, answer, recorded_at)
            VALUES (c_id[i], c_scope[i], c_fingerprint[i], first_position, last_position, c_answer[i]::json, c_at[i]);
        END IF;
        event_from := event_to; read_from := read_to;
        RETURN NEXT;
    END LOOP;
    UPDATE log.head h
       SET position = at_position,
           turn_node  = CASE WHEN any_moved THEN p_node END,
           turn_until = clock_timestamp() + interval '20 milliseconds'
     WHERE h.only_row;
    ordinal := 0; outcome := 'each'; epoch := head_epoch; head := at_position;
    first_position := NULL; last_position := NULL; fingerprint := NULL; answer := NULL;
    RETURN NEXT;
END $$;
