"""Where objects have been, over the image."""
