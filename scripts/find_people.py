"""Finds the people in the photos of a COCO split: the first of two steps for several people in a photo.

    python scripts/find_people.py --pretrained_model output/person/96_best_model/model.pdparams --out boxes.json
    python val.py --pretrained_model output/pose/96_best_model/model.pdparams --boxes boxes.json

The model is one trained with dataset PersonCentres. The file is a COCO results file of square boxes, as val.py's
--boxes reads it; the pose network then runs once for each box. Prints how many of the annotated people were found.
"""

import os
import sys

# So that it runs from a checkout that is not installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from paddle_pose.cli.find_people import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
