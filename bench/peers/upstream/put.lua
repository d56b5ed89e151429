-- SPDX-License-Identifier: Apache-2.0
-- wrk script of ceiling.sh.
local i, body = 0, string.rep("\31\139abcdefg", 1000)
request = function()
  i = i + 1
  local client, day = math.floor(i / 30) % 1000, i % 30 + 1
  return wrk.format("PUT", string.format("/bucket/c%05d/2025-01-%02d.csv.gz", client, day), nil, body)
end
