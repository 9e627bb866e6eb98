"""`python -m tunerstudio.data` is the data service."""

import sys

from tunerstudio.data.service import main

if __name__ == "__main__":
    sys.exit(main())
