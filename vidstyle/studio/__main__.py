"""``python -m vidstyle.studio``."""

import sys

from vidstyle.studio.cli import main

if __name__ == "__main__":
    sys.exit(main())
