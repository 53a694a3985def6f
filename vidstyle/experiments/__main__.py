"""``python -m vidstyle.experiments``."""

import sys

from vidstyle.experiments.cli import main

if __name__ == "__main__":
    sys.exit(main())
