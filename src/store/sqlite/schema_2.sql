-- SPDX-License-Identifier: Apache-2.0
-- Schema 2: deadlines; what a lane must not forget; commands about lanes and priorities.

ALTER TABLE machines ADD COLUMN deadline_ms INTEGER NOT NULL DEFAULT 0;       -- 0: none

-- A row goes when nothing is ready in its lane, it is not paused, and both times are past.
ALTER TABLE lanes ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
ALTER TABLE lanes ADD COLUMN quotas TEXT NOT NULL DEFAULT ''                  -- calls spent: JSON
  CHECK (length(quotas) <= 1048576);
ALTER TABLE lanes ADD COLUMN failures INTEGER NOT NULL DEFAULT 0              -- in a row
  CHECK (failures >= 0);
ALTER TABLE lanes ADD COLUMN open_until_ms INTEGER NOT NULL DEFAULT 0;        -- of its breaker
ALTER TABLE lanes ADD COLUMN keep_until_ms INTEGER NOT NULL DEFAULT 0;        -- the three before

-- A check cannot be changed: the table is made anew.
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
