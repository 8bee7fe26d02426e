--- End the turns of some holders that no worker runs: other programs have removed their jobs, or settled them.
--- @key holders  hash  by singleton key: the token and the id of the job that runs
--- @include lib/end_turn
local function sweep_holders(prefix, queue, running)
  local some = redis.call('HRANDFIELD', holders, '20', 'WITHVALUES')
  local runs = {}
  for _, job_id in ipairs(#some > 0 and running or {}) do
    runs[job_id] = true
  end
  for at = 1, #some, 2 do
    local job_id = string.match(some[at + 1], ' (.*)$')
    if not runs[job_id] then
      end_turn(prefix, queue, some[at], job_id)
    end
  end
end
