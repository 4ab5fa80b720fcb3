-- Writes a set of entries as the next version, if the caller holds the lock and knows the newest one.
-- KEYS: lock, version, tables. ARGV: token, the version the caller has seen, then for each entry the number of its table, its
-- key, 'set' or 'drop', its value, and until when its table is kept in milliseconds since 1970, or nothing.
local holds, found = holder(KEYS[1])
if holds == nil then return {'foreign', KEYS[1], found} end
if holds ~= ARGV[1] then return {'not-collector'} end
for at = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[at]).ok
  local ours = at == 2 and 'string' or 'hash'
  if kind ~= 'none' and kind ~= ours then return {'foreign', KEYS[at], 'a ' .. kind} end
end
local version = whole(redis.call('GET', KEYS[2]) or '0')
if not version then return {'foreign', KEYS[2], 'a text that does not count'} end
if version ~= tonumber(ARGV[2]) then return {'outdated', spell(version)} end
for at = 3, #ARGV, 5 do
  local key = KEYS[tonumber(ARGV[at])]
  if ARGV[at + 2] == 'set' then
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 3])
  else
    redis.call('HDEL', key, ARGV[at + 1])
  end
  if ARGV[at + 4] ~= '' then redis.call('PEXPIREAT', key, ARGV[at + 4]) end
end
redis.call('SET', KEYS[2], spell(version + 1))
return {'written', spell(version + 1)}
