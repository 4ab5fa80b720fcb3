-- What time it is here.
return {'found', redis.call('TIME')[1]}
