-- Records of a chain, oldest first: number and line in turn. An entry that is none of ours has its id for a number.
-- KEYS: the chain's stream. ARGV: first number, most of them.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'stream' then return {'foreign', KEYS[1], 'a ' .. kind} end
local answer = {'found'}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  answer[#answer + 1] = string.match(entry[1], '^(%d+)%-0$') or entry[1]
  answer[#answer + 1] = entry[2][2] or ''
end
return answer
