"""A page that edits a scene file."""
