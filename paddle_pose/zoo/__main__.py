"""`python -m paddle_pose.zoo`."""

import sys

from paddle_pose.cli.zoo import main

if __name__ == "__main__":
    sys.exit(main())
