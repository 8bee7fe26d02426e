"""What is kept in a database, SQLite or PostgreSQL: cron jobs, tokens, the operator log."""
