--- Tell all workers of the queue something at once: they all read this stream, where a token in `marker` would wake one.
--- It is for those that work now, so it keeps little and ends soon.
--- @key orders  stream  what running workers are told
local function send_order(fields)
  redis.call('XADD', orders, 'MAXLEN', '~', '1000', '*', unpack(fields))
  redis.call('PEXPIRE', orders, '600000')
end
