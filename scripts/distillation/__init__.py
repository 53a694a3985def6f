"""The parts of `scripts/distill.py`: pictures, teacher, student, the bank between them, and the training."""
