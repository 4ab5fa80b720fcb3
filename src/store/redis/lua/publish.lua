-- Stores and announces the next version, if the caller holds the lock and knows the newest one.
-- KEYS: snapshot, lock. ARGV: token, newest version the caller has seen, schema, body, channel.
local version, clock = stored(KEYS[1])
if not version then return {'foreign', KEYS[1], clock} end
local holds, found = holder(KEYS[2])
if holds == nil then return {'foreign', KEYS[2], found} end
if holds ~= ARGV[1] then return {'not-collector'} end
local seen = tonumber(ARGV[2])
if version > seen then return {'outdated', spell(version)} end
local next = spell(math.max(clock, seen) + 1)
redis.call('HSET', KEYS[1], 'version', next, 'schema', ARGV[3], 'body', ARGV[4])
redis.call('HDEL', KEYS[1], 'clock')
redis.call('PUBLISH', ARGV[5], next)
return {'published', next}
