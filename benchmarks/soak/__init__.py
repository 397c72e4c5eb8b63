"""Long runs and live views: does anything grow, how old is what is shown."""
