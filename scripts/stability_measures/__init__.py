"""What benchmark_stability.py measures and shows beside the package's own metrics."""
