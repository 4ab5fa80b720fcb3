-- Gives a flushed server back what a replica remembers; does nothing where there is a snapshot, or something else.
-- KEYS: snapshot. ARGV: version, schema, body, channel.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'kept'} end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'schema', ARGV[2], 'body', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return {'restored'}
