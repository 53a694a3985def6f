"""What benchmark_look.py paints, measures and shows."""
