"""`python -m paddle_pose.predict --input photo.jpg`."""

import sys

from paddle_pose.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
