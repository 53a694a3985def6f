"""``python -m vidstyle``."""

import sys

from vidstyle.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
