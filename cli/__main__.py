"""`python -m palestra.cli` is the command `palestra`."""

import sys

from palestra.cli.main import main

sys.exit(main())
