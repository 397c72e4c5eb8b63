"""Components that only benchmarks need; loaded with `plugins_dir`."""
