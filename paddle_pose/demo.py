"""`python -m paddle_pose.demo`: a page in the browser where a photo goes in and the pose comes out."""

import sys

from paddle_pose.cli.demo import main

if __name__ == "__main__":
    sys.exit(main())
