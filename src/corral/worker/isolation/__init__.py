"""Where handlers run that are not `async def`: threads, and processes that can be killed."""
