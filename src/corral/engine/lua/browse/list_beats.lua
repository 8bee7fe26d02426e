#!lua flags=no-writes
--- List what workers have said of themselves, the latest first.
--- @key worker_records  hash  by instance: what each worker said last, JSON
--- @key worker_beats    zset  instances, by the time when they said it
--- @include lib/clock
--- @include lib/word
--- @arg now   string   milliseconds, or empty for the server's time
--- @arg most  integer  how many workers at most
--- @return the time, and for each worker: its instance, when it said it, what
--- BullMQ: getWorkers
local _, now_text = clock(now)
local said = redis.call('ZREVRANGE', worker_beats, 0, most - 1, 'WITHSCORES')
local found = {}
for at = 1, #said, 2 do
  found[#found + 1] = { said[at], word(tonumber(said[at + 1])), redis.call('HGET', worker_records, said[at]) }
end
return { now_text, found }
