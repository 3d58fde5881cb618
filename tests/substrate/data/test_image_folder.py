"""Folders of images: what is read, what is refused, and what the cache keeps."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from substrate.data.error import DataError
from tests.substrate.data.conftest import Load, write_image


def test_images_are_channels_first_with_pixels_of_0_to_1(image_folder: Path, load: Load) -> None:
    data = load(name="image_folder", path=str(image_folder), standardise=False)
    assert data.name == "pictures"
    assert data.input_shape == (3, 3, 4)
    assert data.n_out == 2
    assert data.y_train.tolist() == [0, 0, 1, 1]
    red = torch.tensor([0, 10, 100, 110]) / 255
    torch.testing.assert_close(data.x_train[:, 0, 0, 0], red)
    assert data.x_train[:, 1:].count_nonzero() == 0


def test_channels_are_standardised_by_the_training_images(image_folder: Path, load: Load) -> None:
    data = load(name="image_folder", path=str(image_folder))
    assert data.x_train[:, 0].mean().abs() < 1e-6
    torch.testing.assert_close(data.x_train[:, 0].std(correction=0), torch.tensor(1.0))
    assert data.x_train[:, 1:].count_nonzero() == 0  # channels that never change
    mean, std = 55.0, torch.tensor([0.0, 10, 100, 110]).std(correction=0)
    torch.testing.assert_close(data.x_test[1, 0, 0, 0], (150 - mean) / std)


def test_a_second_run_maps_the_cache_and_decodes_nothing(
    image_folder: Path, load: Load, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(name="image_folder", path=str(image_folder))
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr("PIL.Image.open", lambda path: pytest.fail(f"decoded {path} again"))
    assert load(name="image_folder", path=str(image_folder)).x_train.equal(first.x_train)


def test_a_changed_image_is_decoded_again(image_folder: Path, load: Load, cache: Path) -> None:
    first = load(name="image_folder", path=str(image_folder), standardise=False)
    write_image(image_folder / "train" / "cat" / "0.png", 255)
    second = load(name="image_folder", path=str(image_folder), standardise=False)
    assert first.x_train[0, 0, 0, 0] == 0
    assert second.x_train[0, 0, 0, 0] == 1
    assert len(list(cache.iterdir())) == 2


def test_a_changed_image_of_the_same_size_and_time_is_decoded_again(
    image_folder: Path, load: Load
) -> None:
    """As rsync and unpacking leave one."""
    path = image_folder / "train" / "cat" / "0.png"
    path.write_bytes(path.read_bytes().ljust(1000, b"\0"))
    before = path.stat()
    first = load(name="image_folder", path=str(image_folder), standardise=False)
    write_image(path, 255)
    path.write_bytes(path.read_bytes().ljust(1000, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = load(name="image_folder", path=str(image_folder), standardise=False)
    assert first.x_train[0, 0, 0, 0] == 0
    assert second.x_train[0, 0, 0, 0] == 1


def test_an_entry_of_the_cache_that_is_damaged_is_named(
    image_folder: Path, load: Load, cache: Path
) -> None:
    load(name="image_folder", path=str(image_folder))
    (entry,) = cache.iterdir()
    (entry / "x_train.npy").write_bytes((entry / "x_train.npy").read_bytes()[:100])
    with pytest.raises(DataError, match=f"{entry.name} is damaged.*delete it"):
        load(name="image_folder", path=str(image_folder))


@pytest.mark.parametrize("content", [b"no image at all", None])
def test_a_corrupt_image_is_named_and_leaves_no_half_cache(
    image_folder: Path, load: Load, cache: Path, content: bytes | None
) -> None:
    broken = image_folder / "train" / "dog" / "1.png"
    broken.write_bytes(broken.read_bytes()[:-30] if content is None else content)
    with pytest.raises(DataError, match=r"train/dog/1.png is no readable image"):
        load(name="image_folder", path=str(image_folder))
    assert list(cache.iterdir()) == []


def test_an_image_of_another_size_is_named(image_folder: Path, load: Load) -> None:
    write_image(image_folder / "test" / "dog" / "0.png", 0, size=(5, 3))
    with pytest.raises(DataError, match=r"test/dog/0.png has 5×3 pixels, and the first .* 4×3"):
        load(name="image_folder", path=str(image_folder))


def test_an_empty_class_is_refused(image_folder: Path, load: Load) -> None:
    (image_folder / "train" / "eel").mkdir()
    with pytest.raises(DataError, match="train/eel has no images in it"):
        load(name="image_folder", path=str(image_folder))


def test_a_test_class_that_is_never_trained_is_refused(image_folder: Path, load: Load) -> None:
    write_image(image_folder / "test" / "eel" / "0.png", 0)
    with pytest.raises(DataError, match="test/eel is a class that `train` has not"):
        load(name="image_folder", path=str(image_folder))


def test_a_missing_part_says_what_to_do(image_folder: Path, load: Load) -> None:
    shutil.rmtree(image_folder / "test")
    with pytest.raises(DataError, match=r"no folder .*/test; put it there .* by \$SUBSTRATE_DATA"):
        load(name="image_folder", path=str(image_folder))


def test_files_that_are_no_images_are_passed_over_and_counted(
    image_folder: Path, load: Load
) -> None:
    train = image_folder / "train"
    for name in ("Thumbs.db", ".DS_Store", "0.pgm", "1.PGM", "notes", "a.\x1b[2J"):
        (train / "cat" / name).write_bytes(b"x")
    (train / ".cache").mkdir()
    (train / "dog" / "more").mkdir()
    write_image(train / "0.png", 0)
    data = load(name="image_folder", path=str(image_folder))
    assert len(data.x_train) == 4
    assert data.notes == (
        "passed over as no images: 2 × .pgm, 2 × other names, 1 × folder",
        "passed over beside the classes in train: '0.png'",
    )
    assert data.understood.endswith("; ".join(data.notes))


def test_a_class_of_other_files_alone_is_refused(image_folder: Path, load: Load) -> None:
    (image_folder / "train" / "eel").mkdir()
    (image_folder / "train" / "eel" / "0.pgm").write_bytes(b"x")
    with pytest.raises(DataError, match=r"eel has no images in it, but 1 × .pgm; .* end in .bmp, "):
        load(name="image_folder", path=str(image_folder))


def test_classes_that_are_never_tested_are_told(image_folder: Path, load: Load) -> None:
    shutil.rmtree(image_folder / "test" / "dog")
    data = load(name="image_folder", path=str(image_folder))
    assert data.notes == ("no test images of 'dog'",)


def test_a_pipe_among_the_images_is_not_waited_for(image_folder: Path, load: Load) -> None:
    os.mkfifo(image_folder / "train" / "cat" / "2.png")
    with pytest.raises(DataError, match=r"train/cat/2.png is no regular file"):
        load(name="image_folder", path=str(image_folder))


def test_a_name_that_is_no_utf_8_is_read_and_shown(image_folder: Path, load: Load) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    cat, dog = image_folder / "train" / "cat", image_folder / "train" / "dog"
    (cat / "0.png").rename(cat / name)
    data = load(name="image_folder", path=str(image_folder))
    assert len(data.x_train) == 4
    (dog / name).write_bytes(b"no image at all")
    with pytest.raises(DataError, match=r"train/dog/caf\\udce9.png is no readable image") as caught:
        load(name="image_folder", path=str(image_folder))
    str(caught.value).encode()


def test_an_image_of_too_many_pixels_is_refused_undecoded(image_folder: Path, load: Load) -> None:
    write_image(image_folder / "train" / "cat" / "0.png", 0, size=(1025, 1024))
    with pytest.raises(DataError, match=r"cat/0.png has 1025×1024 pixels; images are read up to"):
        load(name="image_folder", path=str(image_folder))


def test_cifar10_of_the_development_data(data_dir: Path, tmp_path: Path, load: Load) -> None:
    """The first images of every class of the JPEG copy, as real files are."""
    for folder in (data_dir / "cifar10-jpeg").glob("*/*"):
        target = tmp_path / "cifar" / folder.relative_to(folder.parent.parent)
        target.mkdir(parents=True)
        for image in sorted(folder.iterdir())[:30]:
            (target / image.name).symlink_to(image)
    data = load(name="image_folder", path=str(tmp_path / "cifar"), limit_train=200)
    assert data.x_train.shape == (200, 3, 32, 32)
    assert data.x_test.shape == (300, 3, 32, 32)
    assert data.n_out == 10
    assert torch.bincount(data.y_test).tolist() == [30] * 10
    # a random subset of 300: 20 of every class are expected, 10 is 4 standard deviations below
    assert torch.bincount(data.y_train).min() > 10
    assert data.x_train.mean((0, 2, 3)).abs().max() < 1e-4


def test_a_link_that_leads_to_itself_is_named(image_folder: Path, load: Load) -> None:
    (image_folder / "train" / "cat" / "2.png").symlink_to("2.png")
    with pytest.raises(DataError, match=r"2\.png is no regular file"):
        load(name="image_folder", path=str(image_folder))
