-- SPDX-License-Identifier: Apache-2.0
-- Content, faults and counters of the upstream. Every answer is a pure function of (client, day,
-- attempt), so each contestant meets the same faults after a /_reset.
--
-- Counters (shared dict `stats`, one nginx worker):
--   in_flight rises when a request's headers are read and falls in its log phase, which also runs
--   for cut and aborted requests; a request whose client left counts until its latency is over, as
--   on a real server. max_in_flight is its highest value, GET and PUT together.
--   reports = distinct objects accepted by PUT.
--   span_s runs from the first request to the last accepted PUT.
local crc, sleep, say = ngx.crc32_short, ngx.sleep, ngx.print
local attempts, stats = ngx.shared.attempts, ngx.shared.stats

local function setting(name, default) return tonumber(os.getenv(name) or "") or default end
local LATENCY_GET, LATENCY_PUT = setting("UP_LAT_GET", 0.050), setting("UP_LAT_PUT", 0.010)
local P503, PCLOSE = setting("UP_P503", 0.02), setting("UP_PCLOSE", 0.01)
local P503_PUT = setting("UP_P503_PUT", 0)
local RATE, BURST = setting("UP_RATE", 0), setting("UP_BURST", 50)
local MODE = os.getenv("UP_MODE") or "discard"

-- Bodies made once, so many that there are 12,800 rows in all; a report picks one by the hash of its key.
local HEADER = "day,client,campaign_id,campaign_name,ad_group,country,device,currency,"
  .. "impressions,clicks,cost_micros,conversions,conversion_value,distance_miles,avg_position"
local ROWS = setting("UP_ROWS", 200)
local BODIES = math.max(1, math.floor(12800 / ROWS))
local CURRENCIES = {"EUR", "GBP", "USD", "JPY", "CHF", "SEK", "AUD", "CAD"}
local COUNTRIES = {"DE", "GB", "US", "JP", "CH", "SE", "AU", "CA", "FR", "NL"}
local DEVICES = {"DESKTOP", "MOBILE", "TABLET", "CONNECTED_TV"}
local NAMES = {'Brand - exact', '"Brand, broad"', 'Generic | Shoes', '"Sale ""Summer"" 2025"',
  'Retargeting 30d', '"Düsseldorf, lokal"', 'Competitors', 'Performance Max'}
local templates = {}
do
  local seed = 12345
  local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return math.floor(seed / 65536) % n
  end
  for k = 0, BODIES - 1 do
    local rows = {}
    for i = 1, ROWS do
      rows[i] = string.format("%d,%s,ag-%04d,%s,%s,%s,%d,%d,%d,%d,%.2f,%.3f,%.1f",
        1000000 + random(9000) * 7 + i, NAMES[random(8) + 1], random(10000),
        COUNTRIES[random(10) + 1], DEVICES[random(4) + 1], CURRENCIES[random(8) + 1], random(30000), random(900),
        random(30000) * 1000 + random(1000), random(50), random(30000) / 100,
        random(30000) / 1000 + random(300), 1 + random(90) / 10)
    end
    templates[k] = rows
  end
end
local function body_of(client, day)
  local prefix = day .. "," .. client .. ","
  local rows = templates[crc(client .. "/" .. day) % BODIES]
  return HEADER .. "\n" .. prefix .. table.concat(rows, "\n" .. prefix) .. "\n"
end

-- Draws a number in [0,1) from the key and how often it was asked for.
local function draw(key)
  local n = attempts:incr(key, 1, 0)
  return (crc(n .. "#" .. key .. "#" .. n * 7919) % 100000) / 100000
end

local function count(name) stats:incr(name, 1, 0) end

local function over_rate()  -- GCRA
  if RATE <= 0 then return false end
  local now, due, step = ngx.now(), stats:get("due") or 0, 1 / RATE
  if due < now then due = now end
  if due - now > BURST * step then return true end
  stats:set("due", due + step)
  return false
end

local function enter(kind)
  ngx.ctx.kind = kind
  count(kind .. "_attempts")
  stats:add("first", ngx.now())
  local n = stats:incr("in_flight", 1, 0)
  if n > (stats:get("max_in_flight") or 0) then stats:set("max_in_flight", n) end
end

upstream = {}

-- log phase: the request is over, whatever became of it.
function upstream.leave()
  local kind = ngx.ctx.kind
  if not kind then return end
  stats:incr("in_flight", -1)
  if kind ~= "put" then return end
  if ngx.status == 201 or ngx.status == 204 then
    count("put_ok")
    if attempts:add("object " .. ngx.var.uri, true) then count("reports") end
    stats:set("last", ngx.now())
  else
    count("put_" .. ngx.status)
  end
end

function upstream.report(client, day)
  enter("get")
  if over_rate() then
    count("get_429")
    ngx.status = 429; ngx.header["Retry-After"] = 1; ngx.header.content_length = 0
    return ngx.exit(429)
  end
  local d = draw(client .. "/" .. day)
  if LATENCY_GET > 0 then sleep(LATENCY_GET) end
  if d < P503 then
    count("get_503")
    ngx.status = 503; ngx.header.content_length = 5
    return say("busy\n")
  end
  local body = body_of(client, day)
  ngx.header.content_length = #body
  if d < P503 + PCLOSE then
    count("get_cut")
    say(body:sub(1, #body / 2)); ngx.flush(true)
    return ngx.exit(ngx.ERROR)
  end
  count("get_200")
  say(body)
end

function upstream.raw(client, day)
  local body = body_of(client, day)
  ngx.header.content_length = #body
  say(body)
end

-- access phase, before nginx reads the body.
function upstream.put_gate()
  local is_put = ngx.req.get_method() == "PUT"
  enter(is_put and "put" or "other")
  if LATENCY_PUT > 0 then sleep(LATENCY_PUT) end
  if is_put and P503_PUT > 0 and draw("P" .. ngx.var.uri) < P503_PUT then
    ngx.req.discard_body()
    ngx.status = 503; ngx.header.content_length = 5
    say("busy\n")
    return ngx.exit(200)
  end
end

function upstream.put_discard()
  if ngx.ctx.kind ~= "put" then return ngx.exit(404) end
  ngx.req.read_body()
  ngx.status = 201; ngx.header.content_length = 0
  ngx.exit(201)
end

local SHOWN = {"reports", "get_attempts", "get_200", "get_503", "get_cut", "get_429",
  "put_attempts", "put_ok", "put_503", "other_attempts", "in_flight", "max_in_flight"}
function upstream.show()
  for _, name in ipairs(SHOWN) do say(name, "=", stats:get(name) or 0, " ") end
  local first, last = stats:get("first"), stats:get("last")
  say(string.format("span_s=%.3f", first and last and last - first or 0))
  say(" mode=", MODE, " lat_get=", LATENCY_GET, " lat_put=", LATENCY_PUT, " p503=", P503,
    " pcut=", PCLOSE, " p503_put=", P503_PUT, " rate=", RATE, "\n")
end

-- Requests still under way stay counted.
function upstream.reset()
  local under_way = stats:get("in_flight") or 0
  attempts:flush_all(); attempts:flush_expired()
  stats:flush_all()
  stats:set("in_flight", under_way); stats:set("max_in_flight", under_way)
  say("ok\n")
end
