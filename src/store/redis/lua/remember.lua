-- Keeps past readings, one a slot: sorted sets with the slot as score. What was measured is not replaced by an estimate.
-- KEYS: history of each region. ARGV: oldest slot to keep, milliseconds until nothing is worth keeping, then for each
-- reading the number of its key, its slot and its text, whose first word is `measured` or `estimated`.
local function is_estimate(text) return string.sub(text, 1, 10) == 'estimated ' end

for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= 'zset' then return {'foreign', key, 'a ' .. kind} end
end
for at = 3, #ARGV, 3 do
  local key, slot, text = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  local kept = redis.call('ZRANGEBYSCORE', key, slot, slot)[1]
  if not kept or is_estimate(kept) or not is_estimate(text) then
    redis.call('ZREMRANGEBYSCORE', key, slot, slot)
    redis.call('ZADD', key, slot, text)
  end
end
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return {'done'}
