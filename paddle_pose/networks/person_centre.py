"""A Convolutional Pose Machine that finds people instead of joints, the first of two steps for several people.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016; the released test code runs such a network
on the whole photo and then the pose network once around each centre that it finds.
Reference code: shihenw/convolutional-pose-machines-release, `model/_trained_person_MPI`, `testing/python/demo.ipynb`.

Differs from the release
    - One map for each size of a person, not one for all: the release takes everybody to be as tall as the photo.
"""

from typing import Optional

from paddle_pose.networks.cpm import CPM
from paddle_pose.registry import NETWORKS


@NETWORKS.register("PersonCentreCPM")
class PersonCentreCPM(CPM):
    """The paper's network without a centre map; its maps are sizes of people, and the background last.

    Args:
        num_joints: of the dataset's skeleton; the maps do not depend on it.
        sizes: maps, as many as the codec has sizes.
        stages, width, trunk_kernel, refining_kernel, dropout, initial_std: see `CPM`.
    """

    def __init__(
        self,
        num_joints: int,
        sizes: int = 6,
        stages: int = 4,
        width: int = 128,
        trunk_kernel: int = 9,
        refining_kernel: int = 11,
        dropout: float = 0.5,
        initial_std: Optional[float] = 0.01,
    ) -> None:
        super().__init__(
            sizes,
            stages=stages,
            centre_map=False,
            width=width,
            trunk_kernel=trunk_kernel,
            refining_kernel=refining_kernel,
            dropout=dropout,
            initial_std=initial_std,
        )
