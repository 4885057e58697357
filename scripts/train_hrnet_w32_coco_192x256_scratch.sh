#!/usr/bin/env bash
# HRNet-W32 at 192x256 (width x height) without an ImageNet trunk, COCO keypoints, the authors' recipe.
# Published: hrnet_w32_coco_192x256_scratch. Cost: not known.
#   bash scripts/train_hrnet_w32_coco_192x256_scratch.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_192x256_scratch.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hrnet/w32_coco_192x256_scratch.yaml "$@"
