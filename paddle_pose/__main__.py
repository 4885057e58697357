"""`python -m paddle_pose COMMAND ...`, the same as the installed `paddle-pose`."""

import sys

from paddle_pose.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
