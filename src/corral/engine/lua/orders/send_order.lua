#!lua flags=allow-oom
--- Tell all running workers of the queue something.
--- @include lib/sent
--- @include lib/send_order
--- @arg sender   string   who calls, or empty when the call is never sent again
--- @arg number   string   the sender's number of this call: a call sent again tells nothing twice
--- @rest fields  two strings a field: name, value
--- @return 1
--- BullMQ: none
local done = recall(sender, number)
if done then
  return done
end
local entry = {}
for at = fields, #ARGV do
  entry[#entry + 1] = ARGV[at]
end
send_order(entry)
remember(sender, number, 1)
return 1
