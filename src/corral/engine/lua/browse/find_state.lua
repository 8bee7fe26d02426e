#!lua flags=no-writes
--- Say where a job is: in one look, so that a job on its way from one place to another is always found.
--- @include lib/state_of
--- @arg prefix  string  what every key of the queue begins with
--- @arg job_id  string
--- @return the state; a job that exists and is nowhere else is waiting: that list is not searched
--- BullMQ: getState
return state_of(prefix, job_id)
