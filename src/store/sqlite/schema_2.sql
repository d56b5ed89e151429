-- SPDX-License-Identifier: Apache-2.0
-- Schema 2: deadlines; what retention took away; what a lane must not forget; commands about lanes
-- and priorities.
--
-- What a text may be stands as a chain of OR: for a list of IN, SQLite makes a table at each row. A
-- check cannot be changed, so these tables are made anew, and filled from the old ones.

CREATE TABLE history_1 AS SELECT * FROM history;
DROP TABLE history;
DROP VIEW dead;

-- One row an id; a newer generation takes the row of a finished one.
CREATE TABLE machines_2 (
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
  deadline_ms INTEGER NOT NULL DEFAULT 0,                -- 0: none
  data       TEXT    NOT NULL CHECK (length(data) <= 1048576),
  error      TEXT    NOT NULL,                           -- of the last run that failed
  -- Smallest first: priority, then rank, both high to low.
  precedence INTEGER GENERATED ALWAYS AS (-(priority * 4294967296 + rank)) VIRTUAL
);
INSERT INTO machines_2 (key, id, generation, version, phase, state, lane, priority, rank, due_ms, attempt, setbacks,
                        entered, created_ms, updated_ms, data, error)
  SELECT key, id, generation, version, phase, state, lane, priority, rank, due_ms, attempt, setbacks,
         entered, created_ms, updated_ms, data, error
  FROM machines;
DROP TABLE machines;
ALTER TABLE machines_2 RENAME TO machines;

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
INSERT INTO history SELECT * FROM history_1;
DROP TABLE history_1;

CREATE VIEW dead AS
  SELECT id, generation, state, attempt, error, data FROM machines
  WHERE phase IN ('dead', 'cancelled') AND phase = 'dead';

-- A row goes when nothing is ready in its lane, it is not paused, and both times are past.
ALTER TABLE lanes ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
ALTER TABLE lanes ADD COLUMN quotas TEXT NOT NULL DEFAULT ''                  -- calls spent: JSON
  CHECK (length(quotas) <= 1048576);
ALTER TABLE lanes ADD COLUMN failures INTEGER NOT NULL DEFAULT 0              -- in a row
  CHECK (failures >= 0);
ALTER TABLE lanes ADD COLUMN open_until_ms INTEGER NOT NULL DEFAULT 0;        -- of its breaker
ALTER TABLE lanes ADD COLUMN keep_until_ms INTEGER NOT NULL DEFAULT 0;        -- the three before

CREATE TABLE inbox_2 (
  key       INTEGER PRIMARY KEY,
  verb      TEXT    NOT NULL
            CHECK (verb IN ('redrive', 'cancel', 'prioritize', 'pause', 'resume')),
  phase     TEXT    NOT NULL
            CHECK (phase IN ('', 'waiting', 'ready', 'completed', 'dead', 'cancelled')),
  state     TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  id_prefix TEXT    NOT NULL,
  lane      TEXT,                                        -- NULL: all; a lane may have an empty name
  priority  INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1000000 AND 1000000),
  asked_ms  INTEGER NOT NULL,
  CHECK (lane IS NOT NULL OR verb NOT IN ('pause', 'resume'))
);
INSERT INTO inbox_2 (key, verb, phase, state, id, id_prefix, asked_ms)
  SELECT key, verb, phase, state, id, id_prefix, asked_ms FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_2 RENAME TO inbox;
