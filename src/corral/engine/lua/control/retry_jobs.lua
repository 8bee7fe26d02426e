#!lua flags=allow-oom
--- Make finished jobs ready to run again.                             completed | failed → waiting | prioritized
--- @key events  stream
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/retry_job
--- @arg prefix      string   what every key of the queue begins with
--- @arg sender      string   who calls, or empty when the call is never sent again
--- @arg number      string   the sender's number of this call
--- @arg state       string   completed or failed: where the jobs have to be
--- @arg front       string   1 to run them first, 0 to run them behind the others, empty for what their options say
--- @arg anew        string   1 to forget the attempts made and the stalls
--- @rest ids        the jobs
--- @event waiting
--- @return for each 1, or the state in which it is instead
--- BullMQ: reprocessJob
local done = recall(sender, number)
if done then
  return done
end
local queue = read_queue()
local how = { front = front, anew = anew == '1' }
local answers, retried = {}, false
for at = ids, #ARGV do
  local answer = retry_job(prefix, queue, state, ARGV[at], how)
  answers[#answers + 1] = answer
  retried = retried or answer == 1
end
if retried then
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
  remember(sender, number, answers)
end
return answers
