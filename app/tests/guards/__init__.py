"""Two servers must never run on one data directory."""
