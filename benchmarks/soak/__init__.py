"""Live views over time: the age of what is shown, and whether it or the memory grows."""
