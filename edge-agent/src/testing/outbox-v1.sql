-- An outbox as the first version of the agent left it: one receipted and one sealed batch.
PRAGMA application_id = 1333022562;
PRAGMA user_version = 1;
CREATE TABLE store (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  epoch     TEXT    NOT NULL,
  receipted INTEGER NOT NULL,
  next_row  INTEGER NOT NULL
) STRICT;
CREATE TABLE readings (
  row     INTEGER PRIMARY KEY,
  bin     TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  value   INTEGER,
  unit    TEXT    NOT NULL,
  samples INTEGER NOT NULL,
  spread  INTEGER NOT NULL,
  quality TEXT    NOT NULL,
  synced  INTEGER NOT NULL
) STRICT;
CREATE TABLE gaps (
  row     INTEGER PRIMARY KEY,
  bin     TEXT    NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,
  count   INTEGER NOT NULL,
  why     TEXT    NOT NULL
) STRICT;
CREATE TABLE batches (
  seq       INTEGER PRIMARY KEY,
  first_row INTEGER NOT NULL,
  last_row  INTEGER NOT NULL
) STRICT;
CREATE TABLE bins (
  bin          TEXT    PRIMARY KEY,
  at           INTEGER NOT NULL,
  value        INTEGER,
  unit         TEXT    NOT NULL,
  samples      INTEGER NOT NULL,
  spread       INTEGER NOT NULL,
  quality      TEXT    NOT NULL,
  accounted_to INTEGER NOT NULL,
  unconfirmed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO store VALUES (1, 'e1', 2, 9);
INSERT INTO readings VALUES
  (6, 'a1', 1760000001000, 5001, 'mg', 5, 3, 'good', 1),
  (7, 'a1', 1760000002000, 5002, 'mg', 5, 3, 'good', 1),
  (8, 'a1', 1760000003000, NULL, 'mg', 0, 3, 'comm-error', 0);
INSERT INTO batches VALUES (3, 6, 7);
INSERT INTO bins VALUES ('a1', 1760000003000, NULL, 'mg', 0, 3, 'comm-error', 1760000002000, 0);
