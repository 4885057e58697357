"""`python -m paddle_pose.convert SOURCE TARGET`."""

import sys

from paddle_pose.cli.convert import main

if __name__ == "__main__":
    sys.exit(main())
