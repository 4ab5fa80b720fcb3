-- Gives the snapshot when it is newer than the caller's, and keeps the clock from falling behind the caller.
-- KEYS: snapshot, lock. ARGV: the caller's version, the longest body it takes.
local version, clock = stored(KEYS[1])
if not version then return {'foreign', KEYS[1], clock} end
local holds, found = holder(KEYS[2])
if holds == nil then return {'foreign', KEYS[2], found} end
-- A write that changes nothing: a server that takes none (a replica, a full disk) is to be noticed here, not when the
-- collector has something to publish.
redis.call('HDEL', KEYS[1], '')
if version == 0 then return {'absent'} end
local held = tonumber(ARGV[1])
if held > version and held > clock then redis.call('HSET', KEYS[1], 'clock', spell(held)) end
if version <= held then return {'same'} end
local fields = redis.call('HMGET', KEYS[1], 'schema', 'body')
local body = fields[2] or ''
if #body > tonumber(ARGV[2]) then return {'too-large', spell(version), spell(#body)} end
return {'newer', spell(version), fields[1], body}
