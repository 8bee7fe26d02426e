"""Keeping the locks of running jobs, from a process of its own."""
