#!/usr/bin/env bash
# Hourglass-52 at 256x256, COCO keypoints, mmpose's recipe.
# Published: mmpose_hourglass52_coco_256x256. Cost: not known.
#   bash scripts/train_hourglass52_coco_256x256.sh
#   GPUS=0,1,2,3 bash scripts/train_hourglass52_coco_256x256.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/hourglass52_coco_256x256.yaml "$@"
