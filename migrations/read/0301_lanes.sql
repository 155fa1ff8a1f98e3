-- How far each read model has come, by lane: `log` is the whole log, `orders/3/6` partition 3 of the 6 of a topic on Kafka. A model
-- has come to a position when every lane of it has. `next_offset` is where the feed goes on in a partition.
ALTER TABLE progress ADD COLUMN lane text NOT NULL DEFAULT 'log' COLLATE "C";
ALTER TABLE progress ADD COLUMN next_offset bigint CHECK (next_offset >= 0);
ALTER TABLE progress DROP CONSTRAINT progress_pkey;
ALTER TABLE progress ADD PRIMARY KEY (model, lane);
