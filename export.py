"""Exports for deployment: python export.py --pretrained_model MODEL.pdparams --save_dir inference"""

import sys

from paddle_pose.cli.export import main

if __name__ == "__main__":
    sys.exit(main())
