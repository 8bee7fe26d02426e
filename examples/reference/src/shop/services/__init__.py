"""What the shop does, each on a database session: no HTTP and no jobs here, so that all of it can be called by both."""
