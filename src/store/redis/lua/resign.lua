-- Gives the lock back, if it is the caller's.
-- KEYS: lock. ARGV: token.
if holder(KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {'done'}
