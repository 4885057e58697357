"""`python -m paddle_pose.plot_log output/run --out curves.png`, the same as `paddle-pose plot_log`."""

import sys

from paddle_pose.cli.plot_log import main

if __name__ == "__main__":
    sys.exit(main())
