"""What `benchmarks.receive` and `benchmarks.abuse` share: a light sender, and receivers."""
