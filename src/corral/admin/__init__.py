"""What operators ask and do: `Admin`, and the examination of a server that `corral doctor` shows."""
