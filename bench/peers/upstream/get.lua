-- SPDX-License-Identifier: Apache-2.0
-- wrk script of ceiling.sh.
local i = 0
request = function()
  i = i + 1
  local client, day = math.floor(i / 30) % 1000, i % 30 + 1
  return wrk.format("GET", string.format("/reports/c%05d/2025-01-%02d.csv", client, day))
end
