-- For a batch that changes nothing: refusals, each as fresh as an acceptance. Takes no lock; one statement, one snapshot.
CREATE FUNCTION log.verify_batch(
    p_epoch uuid, p_known bigint, p_commands int, r_command int[], r_stream text[], r_version int[]
) RETURNS TABLE (
    ordinal int, outcome text, epoch uuid, head bigint, first_position bigint, last_position bigint, fingerprint bytea, answer text
) LANGUAGE sql VOLATILE AS $$
    WITH head AS MATERIALIZED (SELECT h.epoch, h.position FROM log.head h WHERE h.only_row),
    stale AS MATERIALIZED (
        SELECT DISTINCT r.command
          FROM head, unnest(r_command, r_stream, r_version) r (command, stream, version)
         WHERE head.position <> p_known
           AND r.version <> coalesce((SELECT max(e.version) FROM log.events e WHERE e.stream = r.stream COLLATE "C"), 0)
    )
    SELECT 0, CASE WHEN head.epoch = p_epoch THEN 'each' ELSE 'epoch' END, head.epoch, head.position,
           NULL::bigint, NULL::bigint, NULL::bytea, NULL::text
      FROM head
    UNION ALL
    SELECT n, CASE WHEN stale.command IS NULL THEN 'unchanged' ELSE 'moved' END, head.epoch, NULL::bigint,
           NULL::bigint, head.position, NULL::bytea, NULL::text
      FROM head, generate_series(1, p_commands) n LEFT JOIN stale ON stale.command = n
     WHERE head.epoch = p_epoch
$$;
