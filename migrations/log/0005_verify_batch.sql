-- For a batch that changes nothing: refusals, each as fresh as an acceptance. Takes no lock; one statement, one snapshot.
CREATE FUNCTION log.verify_batch(
    p_epoch uuid, p_known bigint, c_scope bigint[], c_id uuid[], r_command int[], r_stream text[], r_version int[]
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
    SELECT c.ordinal::int,
           CASE WHEN seen.command_id IS NOT NULL THEN 'seen' WHEN stale.command IS NULL THEN 'unchanged' ELSE 'moved' END,
           head.epoch, NULL::bigint, seen.first_position,
           CASE WHEN seen.command_id IS NOT NULL THEN seen.last_position ELSE head.position END, seen.fingerprint, seen.answer::text
      FROM head
      CROSS JOIN unnest(c_scope, c_id) WITH ORDINALITY c (scope, id, ordinal)
      LEFT JOIN stale ON stale.command = c.ordinal
      LEFT JOIN log.commands seen ON seen.command_id = c.id AND seen.scope = c.scope
     WHERE head.epoch = p_epoch
$$;
