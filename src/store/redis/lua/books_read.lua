-- Some entries of a table, and where to go on.
-- KEYS: the table. ARGV: where to begin.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'hash' then return {'foreign', KEYS[1], 'a ' .. kind} end
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 1000)
local words = found[2]
table.insert(words, 1, found[1])
table.insert(words, 1, 'found')
return words
