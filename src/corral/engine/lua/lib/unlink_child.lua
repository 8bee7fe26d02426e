--- A child disappears: its parent no longer waits for it, and runs when it was the last one. A damaged parent does not
--- keep it.
--- @include lib/children
local function unlink_child(child_key, parent_key, now)
  if redis.pcall('SREM', parent_key .. ':dependencies', child_key) == 1 then
    pcall(release_if_done, parent_key, now)
  end
end
