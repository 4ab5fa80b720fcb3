-- Takes the oldest records off a chain; one of which nothing is left, and that may go, is forgotten.
-- KEYS: the chain's stream, the names of all chains. ARGV: the chain's name, first number to keep, whether it may go.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'stream' then return {'foreign', KEYS[1], 'a ' .. kind} end
if kind == 'stream' then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2] .. '-0') end
if ARGV[3] == 'yes' and (kind == 'none' or redis.call('XLEN', KEYS[1]) == 0) then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[1])
end
return {'done'}
