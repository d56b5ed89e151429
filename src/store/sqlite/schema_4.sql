-- SPDX-License-Identifier: Apache-2.0
-- Schema 4: why a lane begins nothing, and whether that is for one run of an engine.
ALTER TABLE lanes ADD COLUMN error TEXT NOT NULL DEFAULT '';     -- of the run that parked or broke it
ALTER TABLE lanes ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0  -- 1: its park ends with the run
  CHECK (stopped BETWEEN 0 AND 1);
