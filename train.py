"""Trains a network: python train.py --image_size 256 --dataset_root data/mpii"""

import sys

from paddle_pose.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
