"""The folder of uploads: nothing stays there, and nothing outside is taken for a part of it."""

import os
import time

from paddle_pose.web.uploads import delete_old, folder_bytes, keep_clean, lies_inside


def aged(path, age_s: float) -> None:
    os.utime(path, (time.time() - age_s,) * 2)


def test_old_files_are_deleted_and_new_ones_kept(tmp_path):
    for name, age_s in (("old", 601), ("new", 590)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.jpg").write_bytes(b"12345")
        aged(tmp_path / name / "photo.jpg", age_s)
        aged(tmp_path / name, age_s)
    (tmp_path / "empty").mkdir()  # in which a file is about to be put
    assert folder_bytes(tmp_path) == 10
    delete_old(tmp_path, 600)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["empty", "new", "new/photo.jpg"]
    delete_old(tmp_path / "nowhere", 600)


def test_it_is_done_again_and_again(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    cleaning = keep_clean(folder, age_s=5, every_s=0.01)
    for name in "ab":
        (folder / name).write_bytes(b"x")
        aged(folder / name, 6)
        for _ in range(500):
            if not (folder / name).exists():
                break
            time.sleep(0.01)
        assert not (folder / name).exists()
    folder.rmdir()
    cleaning.join(5)
    assert not cleaning.is_alive()


def test_what_lies_inside(tmp_path):
    folder = tmp_path / "uploads"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "photo").write_bytes(b"x")
    (tmp_path / "uploads_2").write_bytes(b"x")
    assert lies_inside(f"{folder}/a/photo", folder)
    assert lies_inside(f"{folder}/a/../a/photo", f"{folder}/")
    for path in (
        f"{folder}",
        f"{folder}/a",
        f"{folder}_2",
        f"{folder}/../uploads_2",
        "a/photo",
        "",
        "\0",
        "/etc/passwd",
    ):
        assert not lies_inside(path, folder)
