"""Pages for operators: every BullMQ queue of a server, drawn on the server. See `create_dashboard`."""
