"""`python -m paddle_pose.results --check`, the same as `paddle-pose results`."""

import sys

from paddle_pose.cli.results import main

if __name__ == "__main__":
    sys.exit(main())
