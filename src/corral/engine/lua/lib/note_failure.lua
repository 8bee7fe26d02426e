--- Write why an attempt failed: the reason, and its trace behind the earlier ones (the newest `limit` are kept).
local function note_failure(job_key, run)
  local traces = {}
  if run.trace_limit > 0 and run.trace ~= '' then
    local read, earlier = pcall(cjson.decode, redis.call('HGET', job_key, 'stacktrace') or '[]')
    if read and type(earlier) == 'table' then
      traces = earlier
    end
    traces[#traces + 1] = run.trace
    while #traces > run.trace_limit do
      table.remove(traces, 1)
    end
  end
  local text = #traces > 0 and cjson.encode(traces) or '[]'
  redis.call('HSET', job_key, 'failedReason', run.text, 'stacktrace', text)
end
