-- How far each read model has come: written in the transaction that wrote its rows. Positions are those of the log `epoch`.
-- `version` is the shape of the model's rows; another one than the program's means that they are folded anew.
CREATE TABLE progress (
    model    text    PRIMARY KEY,
    version  integer NOT NULL,
    epoch    uuid    NOT NULL,
    position bigint  NOT NULL CHECK (position >= 0)
);
