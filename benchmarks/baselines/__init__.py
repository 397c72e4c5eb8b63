"""What vidan is compared with: the bare stages and other libraries; each runs by itself."""
