"""``python -m cvxar``: the command line."""

import sys

from cvxar.cli import main

sys.exit(main())
