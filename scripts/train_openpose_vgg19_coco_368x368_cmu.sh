#!/usr/bin/env bash
# OpenPose (VGG-19, six stages of two branches) on COCO by the authors' recipe.
# Published: ildoonet_openpose_coco_val2017. Cost: not known.
#   bash scripts/train_openpose_vgg19_coco_368x368_cmu.sh
#   GPUS=0,1,2,3 bash scripts/train_openpose_vgg19_coco_368x368_cmu.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="VGG-19 trained on ImageNet" train_recipe configs/openpose/vgg19_coco_368x368_cmu.yaml "$@"
