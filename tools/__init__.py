"""What builds, checks and documents the project; never part of what is installed."""
