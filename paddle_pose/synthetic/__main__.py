"""`python -m paddle_pose.synthetic --format mpii --root data/synthetic_mpii`."""

import sys

from paddle_pose.synthetic.command import main

if __name__ == "__main__":
    sys.exit(main())
