-- Adds records to a chain: a stream whose ids are the records' numbers. What is there already, to the letter, counts as
-- added: an answer may have been lost. A record that does not follow the last one is refused: a server that lost the end
-- of a stream, as a restart or a fail-over may, would else keep a chain with a hole for ever.
-- KEYS: the chain's stream, the names of all chains. ARGV: the chain's name, then for each record its number and its line.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'stream' then return {'foreign', KEYS[1], 'a ' .. kind} end
local names = redis.call('TYPE', KEYS[2]).ok
if names ~= 'none' and names ~= 'set' then return {'foreign', KEYS[2], 'a ' .. names} end
-- A fifth of the memory is for the grid data, which everybody needs.
local memory = redis.pcall('INFO', 'memory')
if type(memory) == 'string' then
  local used, most = string.match(memory, 'used_memory:(%d+)'), string.match(memory, 'maxmemory:(%d+)')
  if used and most and tonumber(most) > 0 and tonumber(used) > tonumber(most) * 0.8 then return {'full'} end
end
redis.call('SADD', KEYS[2], ARGV[1])
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1')[1]
local last = newest and tonumber(string.match(newest[1], '^%d+'))
for at = 2, #ARGV, 2 do
  local id = ARGV[at] .. '-0'
  local there = redis.call('XRANGE', KEYS[1], id, id)[1]
  if there then
    if there[2][2] ~= ARGV[at + 1] then return {'conflict', ARGV[at]} end
  else
    local seq = tonumber(ARGV[at])
    if last and last ~= seq - 1 then
      -- Records that were never handed over leave an honest gap, and the next one says after which. Looked for only then: it
      -- takes as long as all the rest.
      local stored = string.match(ARGV[at + 1], ',"stored":{"seq":(%d+),"hash":"%x+"},"prev":"')
      if not stored or last ~= tonumber(stored) then return {'conflict', ARGV[at]} end
    end
    last = seq
    local added = redis.pcall('XADD', KEYS[1], id, 'line', ARGV[at + 1])
    if type(added) == 'table' and added.err then
      if string.find(added.err, 'equal or smaller', 1, true) then return {'conflict', ARGV[at]} end
      return added
    end
  end
end
return {'done'}
