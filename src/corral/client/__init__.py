"""What producers call."""
