-- SPDX-License-Identifier: Apache-2.0
-- Schema 3: of which shape a stored state is (wherry/engine/shape.hpp); a run that found nothing to
-- do yet. A check cannot be changed, so history is made anew.
ALTER TABLE machines ADD COLUMN shape INTEGER NOT NULL DEFAULT 0 CHECK (shape BETWEEN 0 AND 2147483647);

ALTER TABLE history RENAME TO history_2;
-- The primary key proves it: one commit a (machine, generation, version). The runs of a generation's
-- lines and what was trimmed of it add up to the machine's version.
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
INSERT INTO history SELECT * FROM history_2;
DROP TABLE history_2;
