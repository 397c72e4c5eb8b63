"""A page with what happened."""
