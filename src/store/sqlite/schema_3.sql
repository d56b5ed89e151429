-- SPDX-License-Identifier: Apache-2.0
-- Schema 3: of which shape a stored state is (wherry/engine/shape.hpp).
ALTER TABLE machines ADD COLUMN shape INTEGER NOT NULL DEFAULT 0 CHECK (shape >= 0);
