#!/usr/bin/env bash
# HRNet-W32 at 288x384 (width x height), COCO keypoints, the authors' recipe.
# Published: hrnet_w32_coco_288x384. Cost: not known.
#   bash scripts/train_hrnet_w32_coco_288x384.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_288x384.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_coco_288x384.yaml "$@"
