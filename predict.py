"""Finds people: python predict.py --input photo.jpg --pretrained_model MODEL.pdparams --save_dir output/predict"""

import sys

from paddle_pose.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
