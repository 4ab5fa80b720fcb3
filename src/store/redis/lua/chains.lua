-- The names of all chains of records.
-- KEYS: their set.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'set' then return {'foreign', KEYS[1], 'a ' .. kind} end
local names = redis.call('SMEMBERS', KEYS[1])
table.insert(names, 1, 'found')
return names
