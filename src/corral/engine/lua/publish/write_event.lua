#!lua
--- Write an event of a program's own into the stream of a queue.
--- @key events  stream
--- @include lib/read_queue
--- @include lib/sent
--- @arg sender  string  who calls
--- @arg number  string  the sender's number of this call: a call sent again writes nothing twice
--- @arg name    string  of the event
--- @rest fields  two strings a field: name, value
--- @return the id of the entry
--- BullMQ: publishEvent
local done = recall(sender, number)
if done then
  return done
end
local entry = { 'XADD', events, 'MAXLEN', '~', read_queue().max_events, '*', 'event', name }
for at = fields, #ARGV do
  entry[#entry + 1] = ARGV[at]
end
local event_id = redis.call(unpack(entry))
remember(sender, number, event_id)
return event_id
