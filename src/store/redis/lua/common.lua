-- The largest whole number up to which a double, the only number Lua has, holds every one: 2^53 - 1.
local LARGEST = 9007199254740991

-- The whole number that a text spells, or nil.
local function whole(text)
  if not text or #text > 16 or not string.match(text, '^%d+$') then return nil end
  local number = tonumber(text)
  if number > LARGEST then return nil end
  return number
end

local function spell(number) return string.format('%.0f', number) end

-- The version stored under the snapshot's key and the clock beside it, both 0 where there is nothing; or nil and what
-- is there instead.
local function stored(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return 0, 0 end
  if kind ~= 'hash' then return nil, 'a ' .. kind end
  local fields = redis.call('HMGET', key, 'version', 'schema', 'clock')
  local version, clock = whole(fields[1]), whole(fields[3] or '0')
  if not version or version == 0 then return nil, 'a hash without a version' end
  if not whole(fields[2]) then return nil, 'a hash without a schema' end
  if not clock then return nil, 'a hash with a clock that does not count' end
  if version == LARGEST or clock == LARGEST then return nil, 'a version after which there is none' end
  return version, clock
end

-- Who holds the lock, false for nobody; or nil and what is there instead.
local function holder(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return false end
  if kind ~= 'string' then return nil, 'a ' .. kind end
  if redis.call('PTTL', key) == -1 then return nil, 'a text that never expires' end
  return redis.call('GET', key)
end
