"""`python -m tunerstudio` is the command `tunerstudio`."""

import sys

from tunerstudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
