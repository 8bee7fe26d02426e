--- What a run is known by, so that one which is no longer its job's last writes nothing: how many starts there have been
--- (`ats`), and when the job was added (`timestamp`), since another may have been added under its id.
local function fence_of(starts, added)
  return (starts or '') .. ':' .. (added or '')
end
