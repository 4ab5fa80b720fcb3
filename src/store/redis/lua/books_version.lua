-- The version of the accounts' books.
-- KEYS: the version.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'string' then return {'foreign', KEYS[1], 'a ' .. kind} end
local version = whole(redis.call('GET', KEYS[1]) or '0')
if not version then return {'foreign', KEYS[1], 'a text that does not count'} end
return {'version', spell(version)}
