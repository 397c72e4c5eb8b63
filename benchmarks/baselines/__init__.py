"""Programs to compare vidan with. Each runs without vidan, some in an environment of their own."""
