-- Takes the lock, or keeps it, for one more period.
-- KEYS: lock. ARGV: token, period in milliseconds.
local holds, found = holder(KEYS[1])
if holds == nil then return {'foreign', KEYS[1], found} end
if holds and holds ~= ARGV[1] then return {'theirs', string.sub(holds, 1, 300)} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'ours'}
