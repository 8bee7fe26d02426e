"""What a job is: pure values and pure functions. Nothing here does I/O or reads a clock."""
