"""For people who write plugins: `vidan plugins new`, `check` and `show`."""
