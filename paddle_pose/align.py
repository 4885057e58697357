"""`python -m paddle_pose.align --config configs/hourglass/hg2_mpii_256x256.yaml --recording recordings/bearpaw_hg2`."""

import sys

from paddle_pose.cli.align import main

if __name__ == "__main__":
    sys.exit(main())
