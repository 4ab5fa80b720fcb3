-- Past readings of one region, oldest first.
-- KEYS: its history. ARGV: first slot, first slot too late.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'zset' then return {'foreign', KEYS[1], 'a ' .. kind} end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '(' .. ARGV[2])
table.insert(found, 1, 'found')
return found
