-- The last record of a chain.
-- KEYS: the chain's stream.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return {'none'} end
if kind ~= 'stream' then return {'foreign', KEYS[1], 'a ' .. kind} end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1')[1]
if not last then return {'none'} end
return {'found', string.match(last[1], '^(%d+)%-0$') or last[1], last[2][2] or ''}
