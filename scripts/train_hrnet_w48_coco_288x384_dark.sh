#!/usr/bin/env bash
# HRNet-W48 with DARK (unbiased targets, Taylor step) at 288x384, COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w48_coco_288x384_dark. Cost: not known.
#   bash scripts/train_hrnet_w48_coco_288x384_dark.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w48_coco_288x384_dark.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w48_coco_288x384_dark.yaml "$@"
