#!lua flags=no-writes
--- Say what a job waits for: in one look, at a cost that does not grow with the backlog.
--- @key delayed           zset    job ids by due time
--- @key prioritized       zset    job ids by priority, then arrival
--- @key wait              list    ready ids, next at the tail
--- @key paused            list    ready ids of a paused queue (BullMQ 5)
--- @key active            list    job ids that workers hold
--- @key limiter           string  jobs started in the current window
--- @key meta              hash    settings of the queue
--- @key aside             zset    prefix of the lines, one a singleton key: job ids by arrival
--- @include lib/fields_of
--- @include lib/holder_of
--- @include lib/state_of
--- @arg prefix   string   what every key of the queue begins with
--- @arg job_id   string
--- @arg farthest integer  how many of those that run next to look through
--- @return its state; when it is due (ms, or 0); how many run before it (-1: more than were looked through); whether
---         the queue is paused; how many jobs it may run at a time (0: any number), and how many it runs; ms until a
---         rate limit ends (0: none); how many children it waits for, and the keys of some of them; the job that
---         holds its singleton key (empty: it does not wait for its turn), and the key
--- BullMQ: getState
local function ahead_in(list)
  local place = redis.call('LPOS', list, job_id, 'RANK', -1, 'MAXLEN', farthest)
  return place and redis.call('LLEN', list) - 1 - place or -1
end

local state, due, ahead = state_of(prefix, job_id), 0, 0
local holder, key = '', ''
if state == 'delayed' then
  key = fields_of(prefix .. job_id, 'corral.singleton')[1] or ''
  local place = key ~= '' and redis.call('ZRANK', aside .. key, job_id)
  if place then
    holder, ahead = holder_of(prefix, key) or '', place
  end
  due = math.floor(redis.call('ZSCORE', delayed, job_id) / 4096)
elseif state == 'prioritized' then
  ahead = redis.call('LLEN', wait) + redis.call('ZRANK', prioritized, job_id)
elseif state == 'waiting' then
  ahead = ahead_in(wait)
  if ahead < 0 and redis.call('LLEN', paused) > 0 then
    ahead = ahead_in(paused)
  end
end
local kept = redis.call('HMGET', meta, 'paused', 'concurrency', 'max')
local started, limited_ms = tonumber(redis.call('GET', limiter) or 0) or 0, 0
-- A service that asked to wait is written as more jobs than any limit allows.
if started >= (tonumber(kept[3] or nil) or 9007199254740991) then
  limited_ms = math.max(0, redis.call('PTTL', limiter))
end
local dependencies = prefix .. job_id .. ':dependencies'
local children = state == 'waiting-children' and redis.call('SSCAN', dependencies, 0, 'COUNT', 20)[2] or {}
return {
  state, due, ahead, kept[1] and 1 or 0, tonumber(kept[2] or nil) or 0, redis.call('LLEN', active), limited_ms,
  redis.call('SCARD', dependencies), children, holder, key,
}
