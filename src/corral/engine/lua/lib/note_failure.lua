--- Write why an attempt failed: the reason, and its trace behind the earlier ones (the newest `limit` are kept). Of the
--- last one also its kind, in a field of Corral's own.
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
  -- What another client wrote may hold numbers that cannot be written again (NaN).
  local written, text = pcall(cjson.encode, traces)
  if not written then
    text = cjson.encode({ run.trace })
  elseif #traces == 0 then
    text = '[]'
  end
  if run.kind and run.kind ~= '' then
    redis.call('HSET', job_key, 'failedReason', run.text, 'stacktrace', text, 'corral.failure', run.kind)
  else
    redis.call('HSET', job_key, 'failedReason', run.text, 'stacktrace', text)
  end
end
