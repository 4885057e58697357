"""Evaluates: python val.py --image_size 256 --pretrained_model MODEL.pdparams --dataset_root data/mpii"""

import sys

from paddle_pose.cli.val import main

if __name__ == "__main__":
    sys.exit(main())
