"""Tiny ImageNet in its folder layout."""

from pathlib import Path

import pytest

from substrate.data.error import DataError
from tests.substrate.data.conftest import Load, write_image

WNIDS = ("n01", "n02", "n03")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tiny-imagenet-200"
    for index, wnid in enumerate(WNIDS):
        write_image(root / "train" / wnid / "images" / f"{wnid}_0.JPEG", 80 * index, (8, 8))
    for index in range(2):
        write_image(root / "val" / "images" / f"val_{index}.JPEG", 0, (8, 8))
    (root / "wnids.txt").write_text("n03\nn01\nn02\n")
    annotations = "val_0.JPEG\tn03\t0\t0\t7\t7\nval_1.JPEG\tn02\t0\t0\t7\t7\n"
    (root / "val" / "val_annotations.txt").write_text(annotations)
    return root


def test_classes_are_numbered_by_name_and_the_test_set_is_val(root: Path, load: Load) -> None:
    data = load(name="tiny_imagenet", path=str(root))
    assert data.n_out == 3
    assert data.y_train.tolist() == [0, 1, 2]
    assert data.y_test.tolist() == [2, 1]
    assert data.x_train.shape == (3, 3, 8, 8)


def test_labels_that_were_mended_are_read_anew(root: Path, load: Load) -> None:
    load(name="tiny_imagenet", path=str(root))
    annotations = "val_0.JPEG\tn01\t0\t0\t7\t7\nval_1.JPEG\tn02\t0\t0\t7\t7\n"
    (root / "val" / "val_annotations.txt").write_text(annotations)
    assert load(name="tiny_imagenet", path=str(root)).y_test.tolist() == [0, 1]


def test_some_classes_can_be_left_out(root: Path, load: Load) -> None:
    """The pixels tell the classes apart: the same two stay in training and in the test set."""
    everything = load(name="tiny_imagenet", path=str(root), standardise=False)
    data = load(name="tiny_imagenet", path=str(root), standardise=False, limit_classes=2)
    assert data.n_out == 2
    assert data.y_train.tolist() == [0, 1]
    kept = [at for at, x in enumerate(everything.x_train) if any(x.equal(y) for y in data.x_train)]
    assert len(kept) == 2
    tested = [kept.index(label) for label in everything.y_test.tolist() if label in kept]
    assert data.y_test.tolist() == tested
    assert load(name="tiny_imagenet", path=str(root), limit_classes=3).n_out == 3


def test_more_classes_than_there_are_is_said(root: Path, load: Load) -> None:
    with pytest.raises(DataError, match="limit_classes is 4, and tiny_imagenet has 3 classes"):
        load(name="tiny_imagenet", path=str(root), limit_classes=4)


def test_a_list_of_classes_that_is_cut_short_is_warned_of(root: Path, load: Load) -> None:
    (root / "wnids.txt").write_text("n03\n")
    with pytest.warns(UserWarning, match="names 1 of the 3 classes"):
        assert load(name="tiny_imagenet", path=str(root)).n_out == 3


def test_annotations_that_are_cut_short_are_warned_of(root: Path, load: Load) -> None:
    (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn03\t0\t0\t7\t7\n")
    with pytest.warns(UserWarning, match=r"annotations.txt names no class of 1 of the 2 images"):
        assert load(name="tiny_imagenet", path=str(root)).y_test.tolist() == [2]


def test_a_listed_class_without_images_is_named(root: Path, load: Load) -> None:
    (root / "wnids.txt").write_text("n03\nn99\n")
    with pytest.raises(DataError, match=r"wnids.txt names n99"):
        load(name="tiny_imagenet", path=str(root))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("val_0.JPEG\tn99\t0", "val_annotations.txt:1 names no training folder"),
        ("val_7.JPEG\tn01\t0", "val_annotations.txt:1 names an image that is not there"),
        ("val_0.JPEG", "val_annotations.txt:1 names no training folder"),
    ],
)
def test_a_wrong_annotation_is_named(root: Path, load: Load, line: str, said: str) -> None:
    (root / "val" / "val_annotations.txt").write_text(line + "\n")
    with pytest.raises(DataError, match=said):
        load(name="tiny_imagenet", path=str(root))


def test_a_missing_folder_says_what_to_do(tmp_path: Path, load: Load) -> None:
    with pytest.raises(DataError, match=r"no .*wnids.txt; put it there"):
        load(name="tiny_imagenet", path=str(tmp_path / "nowhere"))


@pytest.mark.filterwarnings("ignore:.*wnids.txt names:UserWarning")
@pytest.mark.filterwarnings("ignore:.*annotations.txt names no class:UserWarning")
def test_the_development_data(data_dir: Path, tmp_path: Path, load: Load) -> None:
    """The first image of every class, and 100 validation images, as real files are."""
    real, root = data_dir / "tiny-imagenet-200", tmp_path / "tiny"
    for folder in (real / "train").iterdir():
        images = root / "train" / folder.name / "images"
        images.mkdir(parents=True)
        first = min((folder / "images").iterdir())
        (images / first.name).symlink_to(first)
    (root / "val").mkdir()
    (root / "val" / "images").symlink_to(real / "val" / "images")
    lines = (real / "val" / "val_annotations.txt").read_text().splitlines(keepends=True)
    (root / "val" / "val_annotations.txt").write_text("".join(lines[:100]))
    (root / "wnids.txt").write_text((real / "wnids.txt").read_text())
    data = load(name="tiny_imagenet", path=str(root))
    assert data.x_train.shape == (200, 3, 64, 64)
    assert data.y_train.tolist() == list(range(200))
    assert data.x_test.shape == (100, 3, 64, 64)
