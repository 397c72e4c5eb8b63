"""Models that ship with vidan, each with its model card, and the catalog of public ones."""
