#!/usr/bin/env bash
# HRNet-W48 with UDP (lengths between pixel centres) at 192x256, COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w48_coco_192x256_udp. Cost: not known.
#   bash scripts/train_hrnet_w48_coco_192x256_udp.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w48_coco_192x256_udp.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w48_coco_192x256_udp.yaml "$@"
