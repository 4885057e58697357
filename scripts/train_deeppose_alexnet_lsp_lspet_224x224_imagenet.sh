#!/usr/bin/env bash
# DeepPose, stage 1, on torchvision's AlexNet from ImageNet, LSPET and LSP's first 1000, scored on LSP's last 1000.
# Published: deeppose_tf_alexnet_lsp_227x227. Cost: not known.
#   bash scripts/train_deeppose_alexnet_lsp_lspet_224x224_imagenet.sh
#   GPUS=0,1,2,3 bash scripts/train_deeppose_alexnet_lsp_lspet_224x224_imagenet.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="AlexNet trained on ImageNet" train_recipe configs/deeppose/alexnet_lsp_lspet_224x224_imagenet.yaml "$@"
