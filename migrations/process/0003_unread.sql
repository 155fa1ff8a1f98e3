-- Events that could not be read when they came by, as those of a newer program that is not running here yet: nothing has followed from
-- them so far. They are read again now and then; what follows from one does not depend on those after it.
CREATE TABLE process.unread (
    position   bigint PRIMARY KEY,
    event_id   uuid NOT NULL,
    stream     text NOT NULL,
    type       text NOT NULL,
    error      text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now()
);
