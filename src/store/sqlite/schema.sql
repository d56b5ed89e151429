-- SPDX-License-Identifier: Apache-2.0
-- Schema 1 of a Wherry store. Readable as it is: sqlite3 FILE 'select id, state, error from dead'
--
-- Times are milliseconds since 1970, UTC. Every change of a machine changes `machines`, `history`,
-- `counts` and `lanes` in one transaction.
--
-- What a text may be stands as a chain of OR: for a list of IN, SQLite makes a table at each row.

-- One row an id; a newer generation takes the row of a finished one.
CREATE TABLE machines (
  key        INTEGER PRIMARY KEY,                        -- age: a younger machine has a larger one
  id         TEXT    NOT NULL UNIQUE CHECK (id <> ''),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  version    INTEGER NOT NULL CHECK (version >= 0),      -- raised by each record and each command
  phase      TEXT    NOT NULL
             CHECK (phase = 'ready' OR phase = 'waiting' OR phase = 'completed' OR phase = 'dead'
                    OR phase = 'cancelled'),
  state      TEXT    NOT NULL,
  lane       TEXT    NOT NULL,
  priority   INTEGER NOT NULL CHECK (priority BETWEEN -1000000 AND 1000000),
  rank       INTEGER NOT NULL CHECK (rank BETWEEN -1000000 AND 1000000),
  due_ms     INTEGER NOT NULL,
  attempt    INTEGER NOT NULL CHECK (attempt >= 1),      -- of the next run
  setbacks   INTEGER NOT NULL DEFAULT 0 CHECK (setbacks >= 0),  -- how often it went back a state
  entered    INTEGER NOT NULL DEFAULT 0,                 -- its version when it came into its state
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  trimmed    INTEGER NOT NULL DEFAULT 0                  -- versions whose lines retention took away
             CHECK (trimmed BETWEEN 0 AND version),
  data       TEXT    NOT NULL CHECK (length(data) <= 1048576),
  error      TEXT    NOT NULL,                           -- of the last run that failed
  -- Smallest first: priority, then rank, both high to low.
  precedence INTEGER GENERATED ALWAYS AS (-(priority * 4294967296 + rank)) VIRTUAL
);

-- In the order in which a lane is leased; the key comes last by itself.
CREATE INDEX machines_ready   ON machines (lane, precedence, due_ms) WHERE phase = 'ready';
CREATE INDEX machines_waiting ON machines (due_ms)                   WHERE phase = 'waiting';
-- For commands and lists of people. A query must repeat the WHERE to be served by one of these.
CREATE INDEX machines_unfinished ON machines (id) WHERE phase IN ('waiting', 'ready');
CREATE INDEX machines_failed     ON machines (id) WHERE phase IN ('dead', 'cancelled');

-- The primary key proves it: one commit a (machine, generation, version). The runs of a generation's
-- lines and what was trimmed of it add up to the machine's version.
CREATE TABLE history (
  machine    INTEGER NOT NULL REFERENCES machines (key),
  generation INTEGER NOT NULL,
  version    INTEGER NOT NULL CHECK (version >= 1),      -- after
  runs       INTEGER NOT NULL CHECK (runs >= 1),         -- throttled again and again: one line
  from_state TEXT    NOT NULL,
  to_state   TEXT    NOT NULL,
  phase      TEXT    NOT NULL,
  outcome    TEXT    NOT NULL
             CHECK (outcome = 'advanced' OR outcome = 'retried' OR outcome = 'throttled'
                    OR outcome = 'went_back' OR outcome = 'died' OR outcome = 'redriven'
                    OR outcome = 'cancelled'),
  attempt    INTEGER NOT NULL CHECK (attempt >= 1),
  started_ms INTEGER NOT NULL,
  ended_ms   INTEGER NOT NULL,
  error      TEXT    NOT NULL,
  PRIMARY KEY (machine, generation, version)
) WITHOUT ROWID;

CREATE TABLE counts (
  phase TEXT    NOT NULL,
  state TEXT    NOT NULL,
  n     INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (phase, state)
) WITHOUT ROWID;

CREATE TABLE lanes (
  lane            TEXT    NOT NULL PRIMARY KEY,
  ready           INTEGER NOT NULL CHECK (ready >= 0),   -- machines that are, leased or not
  parked_until_ms INTEGER NOT NULL                       -- 0: never was
) WITHOUT ROWID;

-- What other processes ask for; the owner applies and deletes it. Empty columns select all.
CREATE TABLE inbox (
  key       INTEGER PRIMARY KEY,
  verb      TEXT    NOT NULL CHECK (verb IN ('redrive', 'cancel')),
  phase     TEXT    NOT NULL
            CHECK (phase IN ('', 'waiting', 'ready', 'completed', 'dead', 'cancelled')),
  state     TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  id_prefix TEXT    NOT NULL,
  asked_ms  INTEGER NOT NULL
);

-- `epoch` counts how often the store was opened for running; leases of an older one are void.
-- `purpose` says what the machines are for; empty: nobody has said yet.
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  epoch    INTEGER NOT NULL CHECK (epoch >= 0),
  purpose  TEXT    NOT NULL
);
INSERT INTO meta VALUES (1, 0, '');

CREATE VIEW dead AS
  SELECT id, generation, state, attempt, error, data FROM machines
  WHERE phase IN ('dead', 'cancelled') AND phase = 'dead';
