-- An order is mostly a little longer than the 2,000 bytes from which rows are compressed: that cost more than anything else of writing it.
ALTER TABLE orders SET (toast_tuple_target = 4080);
