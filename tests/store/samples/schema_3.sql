-- SPDX-License-Identifier: Apache-2.0
-- A store as it was with schema 3, as `sqlite3 FILE .dump` writes it, with something in every table.
-- Never changed: this is what lies on people's disks.

BEGIN;
CREATE TABLE counts (
  phase TEXT    NOT NULL,
  state TEXT    NOT NULL,
  n     INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (phase, state)
) WITHOUT ROWID;
INSERT INTO counts VALUES('completed','last',1);
INSERT INTO counts VALUES('dead','second',1);
INSERT INTO counts VALUES('ready','first',2);
INSERT INTO counts VALUES('waiting','first',1);
CREATE TABLE lanes (
  lane            TEXT    NOT NULL PRIMARY KEY,
  ready           INTEGER NOT NULL CHECK (ready >= 0),   -- machines that are, leased or not
  parked_until_ms INTEGER NOT NULL                       -- 0: never was
, paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)), quotas TEXT NOT NULL DEFAULT ''                  -- calls spent: JSON
  CHECK (length(quotas) <= 1048576), failures INTEGER NOT NULL DEFAULT 0              -- in a row
  CHECK (failures >= 0), open_until_ms INTEGER NOT NULL DEFAULT 0, keep_until_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO lanes VALUES('acme',1,0,1,'[]',2,4102444800000,4102444800000);
INSERT INTO lanes VALUES('globex',1,4102444800000,0,'',0,0,0);
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  epoch    INTEGER NOT NULL CHECK (epoch >= 0),
  purpose  TEXT    NOT NULL
);
INSERT INTO meta VALUES(1,7,'report flights');
CREATE TABLE IF NOT EXISTS "machines" (
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
, shape INTEGER NOT NULL DEFAULT 0 CHECK (shape BETWEEN 0 AND 2147483647));
INSERT INTO machines VALUES(1,'acme/1',1,0,'ready','first','acme',5,0,1738000000000,1,0,0,1738000000000,1738000000000,0,0,'{"n":1}','',0);
INSERT INTO machines VALUES(2,'acme/2',1,1,'waiting','first','acme',0,0,4102444800000,2,0,0,1738000000000,1738000000500,0,4102444800000,'{"n":2}','the other side is down',0);
INSERT INTO machines VALUES(3,'globex/1',2,1,'completed','last','globex',0,2,1738000000000,1,0,1,1738000000000,1738000001000,0,0,'{"n":3}','',0);
INSERT INTO machines VALUES(4,'globex/2',1,1,'dead','second','globex',0,1,1738000000000,12,1,0,1738000000000,1738000002000,0,0,'{"n":4}','hopeless',0);
INSERT INTO machines VALUES(5,'globex/3',1,0,'ready','first','globex',0,0,1738000000000,1,0,0,1738000000000,1738000000000,0,0,'{"n":5}','',0);
CREATE TABLE IF NOT EXISTS "inbox" (
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
INSERT INTO inbox VALUES(1,'cancel','ready','first','','acme/',NULL,0,1738000003000);
INSERT INTO inbox VALUES(2,'redrive','','','globex/2','',NULL,0,1738000003000);
INSERT INTO inbox VALUES(3,'resume','','','','','acme',0,1738000003000);
CREATE TABLE history (
  machine    INTEGER NOT NULL REFERENCES machines (key),
  generation INTEGER NOT NULL,
  version    INTEGER NOT NULL CHECK (version >= 1),      -- after
  runs       INTEGER NOT NULL CHECK (runs >= 1),         -- throttled, or postponed, again and again
  from_state TEXT    NOT NULL,
  to_state   TEXT    NOT NULL,
  phase      TEXT    NOT NULL,
  outcome    TEXT    NOT NULL
             CHECK (outcome = 'advanced' OR outcome = 'retried' OR outcome = 'throttled'
                    OR outcome = 'postponed' OR outcome = 'went_back' OR outcome = 'died'
                    OR outcome = 'redriven' OR outcome = 'cancelled'),
  attempt    INTEGER NOT NULL CHECK (attempt >= 1),
  started_ms INTEGER NOT NULL,
  ended_ms   INTEGER NOT NULL,
  error      TEXT    NOT NULL,
  PRIMARY KEY (machine, generation, version)
) WITHOUT ROWID;
INSERT INTO history VALUES(2,1,1,1,'first','first','waiting','retried',1,1738000000400,1738000000500,'the other side is down');
INSERT INTO history VALUES(3,2,1,1,'second','last','completed','advanced',1,1738000000900,1738000001000,'');
INSERT INTO history VALUES(4,1,1,1,'second','second','dead','died',12,1738000001900,1738000002000,'hopeless');
CREATE INDEX machines_ready   ON machines (lane, precedence, due_ms) WHERE phase = 'ready';
CREATE INDEX machines_waiting ON machines (due_ms)                   WHERE phase = 'waiting';
CREATE INDEX machines_unfinished ON machines (id) WHERE phase IN ('waiting', 'ready');
CREATE INDEX machines_failed     ON machines (id) WHERE phase IN ('dead', 'cancelled');
CREATE VIEW dead AS
  SELECT id, generation, state, attempt, error, data FROM machines
  WHERE phase IN ('dead', 'cancelled') AND phase = 'dead';
PRAGMA application_id = 1466462841;
PRAGMA user_version = 3;
COMMIT;
