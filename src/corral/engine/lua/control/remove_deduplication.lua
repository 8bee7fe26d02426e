#!lua flags=allow-oom
--- Take a deduplication id from the job that owns it, so that the next job with this id is added. The owner stays as it
--- is, and so does a job that is kept for its end.
--- @key events  stream  (names the slot of the queue)
--- @include lib/sent
--- @arg prefix            string  what every key of the queue begins with
--- @arg sender            string  who calls
--- @arg number            string  the sender's number of this call
--- @arg deduplication_id  string
--- @arg owner             string  a job: only if it owns the id; empty for whichever does
--- @return 1, or 0 nobody owns it, or another job
--- BullMQ: removeDeduplicationKey
local done = recall(sender, number)
if done then
  return done
end
local owner_key = prefix .. 'de:' .. deduplication_id
local owned_by = redis.pcall('GET', owner_key)
local removed = 0
if type(owned_by) == 'string' and (owner == '' or owned_by == owner) then
  removed = redis.call('DEL', owner_key)
end
remember(sender, number, removed)
return removed
