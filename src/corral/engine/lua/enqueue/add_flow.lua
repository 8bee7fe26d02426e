#!lua
--- Add a flow, trees of jobs in several queues: all of it or nothing.
---                                                  nothing → waiting | prioritized | delayed | waiting-children
--- @key id                string  job ids handed out
--- @key wait              list    ready ids, next at the tail
--- @key paused            list    ready ids of a paused queue (BullMQ 5)
--- @key waiting_children  zset    parents that wait for their children
--- @key events            stream
--- @include lib/clock
--- @include lib/at_queue
--- @include lib/open_queue
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/refusal_to_add
--- @include lib/check_flow
--- @include lib/join_family
--- @include lib/deduplicate
--- @include lib/store_job
--- @include lib/place_job
--- @include lib/wake
--- @arg prefix   string   what every key of the first queue begins with
--- @arg now      string   milliseconds, or empty for the server's time
--- @arg sender   string   who calls, or empty when the call is never sent again
--- @arg number   string   the sender's number of this call
--- @arg library  string   written to meta.version where there is none
--- @arg job_id   string   the running job that adds children to itself, or empty
--- @arg token    string   the lock of its run
--- @arg fence    string   what the run is known by
--- @rest first   twelve strings a node, parents before their children: what the keys of its queue begin with, id, flags
---               (c: there may be a job with this id, l: lifo, p: has children), name, data, opts, delay (ms), due (ms
---               since the epoch, or empty), priority, key of its parent (or empty), `parent` (JSON), deduplication (JSON,
---               or empty)
--- @event added waiting delayed waiting-children duplicated deduplicated removed failed
--- @event completed retries-exhausted
--- @return 0 and one entry a node (0 added, 1 not added because it exists or its parent took it no more, or the id of the
---         job that it was deduplicated into); or the code of a refusal (-1, -2, -6: of the run; -3 the parent does not wait
---         for children; -5 no parent; -7 the child has another parent; -20 it would be above itself; -22 too
---         many jobs are above it) and a node's place
--- BullMQ: addParentJob, addStandardJob, addDelayedJob, addPrioritizedJob, releaseParents
local done = recall(sender, number)
if done then
  return done
end
if job_id ~= '' then
  local refused = refusal_to_add(prefix, job_id, token, fence)
  if refused ~= 0 then
    return { refused, 0 }
  end
end
local now_ms, now_text = clock(now)
local nodes, flow = {}, {}
for at = first, #ARGV, 12 do
  local flags, due = ARGV[at + 2], ARGV[at + 7]
  local node = {
    base = ARGV[at], id = ARGV[at + 1], key = ARGV[at] .. ARGV[at + 1],
    own = string.find(flags, 'c', 1, true), front = string.find(flags, 'l', 1, true),
    is_parent = string.find(flags, 'p', 1, true), name = ARGV[at + 3], data = ARGV[at + 4], opts = ARGV[at + 5],
    delay = due == '' and tonumber(ARGV[at + 6]) or due ~= '' and math.max(0, tonumber(due) - now_ms),
    priority = tonumber(ARGV[at + 8]), parent_key = ARGV[at + 9] ~= '' and ARGV[at + 9] or nil,
    parent = ARGV[at + 10], rule = ARGV[at + 11] ~= '' and cjson.decode(ARGV[at + 11]) or nil,
  }
  nodes[#nodes + 1] = node
  flow[node.key] = node
end
local refusal, place = check_flow(nodes, flow, job_id ~= '' and prefix .. job_id or nil)
if refusal then
  return { refusal, place }
end

local queues, family, answers, current = {}, {}, {}, nil

local function turn_to(base)
  local queue = queues[base]
  if not queue then
    local names = names_of(base)
    at_queue(names)
    queue = open_queue(library)
    queue.names, queue.base, queue.ready, queue.handed_out = names, base, {}, 0
    queues[base] = queue
    queues[#queues + 1] = queue
  elseif queue ~= current then
    at_queue(queue.names)
  end
  current = queue
  return queue
end

local function line_up(queue)
  if #queue.ready > 0 then
    in_chunks('LPUSH', queue.parks and paused or wait, queue.ready)
    wake(queue)
  end
  queue.ready = {}
end

local function store(queue, node)
  store_job(node.base, node.id, node, now_text)
  if node.is_parent then
    redis.call('ZADD', waiting_children, now_text, node.id)
    redis.call('XADD', events, '*', 'event', 'waiting-children', 'jobId', node.id)
    parent_in(family, node.key)
  elseif node.placed then
    redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', node.id)
    wake(queue)
  elseif node.delay > 0 or node.priority > 0 or node.front then
    place_job(queue, node.id, node, now_ms)
  else
    queue.ready[#queue.ready + 1] = node.id
    redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', node.id)
  end
  if node.parent_key then
    add_child(family, node)
  end
end

for at, node in ipairs(nodes) do
  local queue, parent = turn_to(node.base), flow[node.parent_key or '']
  queue.handed_out = queue.handed_out + 1
  node.left_out = node.left_out or parent and parent.left_out
  answers[at] = 1
  -- A root may have replaced it just now.
  if node.exists and redis.call('EXISTS', node.key) == 1 then
    redis.call('XADD', events, '*', 'event', 'duplicated', 'jobId', node.id)
    if node.parent_key and not node.left_out and not node.counted then
      attach_child(family, node)
    end
  elseif not node.left_out and not node.counted then
    if node.rule and node.rule.supersedes then
      line_up(queue)  -- its owner may be one of those before it
    end
    local owner = node.rule and deduplicate(node.base, queue, node.rule, node.id, node, now_ms)
    node.deduplication_id = node.rule and node.rule.id
    node.left_out = owner and true
    answers[at] = owner or 0
    if not owner then
      store(queue, node)
    end
  end
end
for _, queue in ipairs(queues) do
  turn_to(queue.base)
  redis.call('INCRBY', id, queue.handed_out)
  line_up(queue)
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
end
join_family(family, now_ms)
local reply = { 0, answers }
remember(sender, number, reply)
return reply
