--- End the turns of some that no worker runs: other programs have removed or settled the job of a holder, or who was
--- called has not come. Whoever is called and still waits to start stays called.
--- @key holders  hash  by singleton key: the token (none before it starts) and the id of the job whose turn it is
--- @include lib/end_turn
local function sweep_holders(prefix, queue, running)
  local some = redis.call('HRANDFIELD', holders, '200', 'WITHVALUES')
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
