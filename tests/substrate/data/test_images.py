"""Images that are not 8-bit RGB: deep ones, transparent ones, several in one file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from substrate.data.error import DataError
from tests.substrate.data.conftest import Load

Save = Callable[[Path, int], object]

GREY = np.array([[0, 256, 32768, 65535]] * 3, np.uint16)
ALPHA = (GREY // 257).astype(np.uint8)


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[Save], str]:
    """Two classes with one training and one test image each, saved as the test has it."""

    def fill(save: Save) -> str:
        root = tmp_path / "pictures"
        for number, name in enumerate(("train/a", "train/b", "test/a", "test/b")):
            (root / name).mkdir(parents=True)
            save(root / name / "0", number)
        return str(root)

    return fill


def drawn(colour: int, alpha: np.ndarray = ALPHA) -> Image.Image:
    """A picture of one colour whose drawing is in its transparency alone."""
    return Image.fromarray(np.dstack([np.full((*alpha.shape, 3), colour, np.uint8), alpha]))


@pytest.mark.parametrize(
    "save",
    [
        lambda path: Image.fromarray(GREY).save(path.with_suffix(".png")),
        lambda path: Image.fromarray(GREY).save(path.with_suffix(".tif")),
        lambda path: Image.fromarray(GREY.astype(">u2")).save(path.with_suffix(".tif")),
        lambda path: path.with_suffix(".ppm").write_bytes(
            b"P5\n4 3\n65535\n" + GREY.astype(">u2").tobytes()
        ),
    ],
    ids=["png", "tif", "big-endian tif", "ppm"],
)
def test_16_bits_are_kept_whole(
    load: Load, folder_of: Callable[[Save], str], save: Callable[[Path], object]
) -> None:
    path = folder_of(lambda path, number: save(path))
    data = load(name="image_folder", path=path, standardise=False)
    expected = torch.from_numpy((GREY / 65535).astype(np.float32))
    torch.testing.assert_close(data.x_train, expected.expand(2, 3, 3, 4))
    assert data.notes == ("pixels of 16 bits, divided by 65,535",)


@pytest.mark.parametrize("stored", [np.int32, np.float32])
def test_numbers_of_no_known_scale_are_refused(
    load: Load, folder_of: Callable[[Save], str], stored: type
) -> None:
    picture = Image.fromarray(GREY.astype(stored))
    path = folder_of(lambda path, number: picture.save(path.with_suffix(".tif")))
    with pytest.raises(DataError, match=r"train/a/0.tif has pixels of 32 bits, and nothing in it"):
        load(name="image_folder", path=path)


def test_two_depths_in_one_set_are_refused(load: Load, folder_of: Callable[[Save], str]) -> None:
    depths = (ALPHA, GREY, ALPHA, ALPHA)
    path = folder_of(
        lambda path, number: Image.fromarray(depths[number]).save(path.with_suffix(".png"))
    )
    with pytest.raises(DataError, match=r"b/0.png has pixels of 16 bits, and the first image of 8"):
        load(name="image_folder", path=path)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_drawn_in_transparency_is_seen_over_white(
    load: Load, folder_of: Callable[[Save], str], mode: str
) -> None:
    path = folder_of(
        lambda path, number: (
            drawn(0).convert(mode).save(path.with_suffix(".png"))
            if number
            else Image.new(mode, (4, 3)).save(path.with_suffix(".png"))
        )
    )
    first, again = (load(name="image_folder", path=path, standardise=False) for _ in range(2))
    over_white = torch.from_numpy(1 - ALPHA.astype(np.float32) / 255)
    torch.testing.assert_close(first.x_test, over_white.expand(2, 3, 3, 4))
    assert first.x_train[0].eq(1).all()
    # the second is of the cache
    assert first.notes == again.notes == ("transparent in part, drawn over white: 4 of 4 images",)


@pytest.mark.parametrize("ending", [".png", ".gif"])
def test_a_transparent_colour_of_a_palette_is_white(
    load: Load, folder_of: Callable[[Save], str], ending: str
) -> None:
    picture = Image.fromarray(np.array([[0, 1, 2, 1]] * 3, np.uint8), "P")
    picture.putpalette([0, 0, 0, 10, 20, 30, 51, 51, 51])
    path = folder_of(lambda path, number: picture.save(path.with_suffix(ending), transparency=1))
    data = load(name="image_folder", path=path, standardise=False)
    torch.testing.assert_close(data.x_train[0, :, 0], torch.tensor([[0, 1, 0.2, 1]]).expand(3, 4))


def test_what_is_drawn_in_white_on_nothing_is_refused(
    load: Load, folder_of: Callable[[Save], str]
) -> None:
    path = folder_of(lambda path, number: drawn(255).save(path.with_suffix(".png")))
    with pytest.raises(DataError, match=r"a/0.png is drawn in white on a transparent ground"):
        load(name="image_folder", path=path)


def test_opaque_images_with_an_alpha_channel_are_as_they_were(
    load: Load, folder_of: Callable[[Save], str]
) -> None:
    opaque = drawn(51, np.full_like(ALPHA, 255))
    path = folder_of(lambda path, number: opaque.save(path.with_suffix(".png")))
    data = load(name="image_folder", path=path, standardise=False)
    torch.testing.assert_close(data.x_train, torch.full((2, 3, 3, 4), 0.2))
    assert data.notes == ()


@pytest.mark.parametrize("ending", [".gif", ".tif", ".png"])
def test_of_several_frames_the_first_is_read_and_said(
    load: Load, folder_of: Callable[[Save], str], ending: str
) -> None:
    first, second = (Image.new("RGB", (4, 3), (red, 0, 0)) for red in (51, 255))
    path = folder_of(
        lambda path, number: first.save(
            path.with_suffix(ending), save_all=True, append_images=[second]
        )
    )
    data = load(name="image_folder", path=path, standardise=False)
    torch.testing.assert_close(data.x_train[:, 0], torch.full((2, 3, 4), 0.2))
    assert data.notes == ("of several frames, the first is read: 4 of 4 images",)


# of Exif 2.3, table of Orientation (274): what turns an upright image into what is stored
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda up: up,
    2: lambda up: up[:, ::-1],
    3: lambda up: up[::-1, ::-1],
    4: lambda up: up[::-1],
    5: lambda up: up.swapaxes(0, 1),
    6: lambda up: np.rot90(up),
    7: lambda up: np.rot90(up, 2).swapaxes(0, 1),
    8: lambda up: np.rot90(up, -1),
}


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_images_stand_upright(load: Load, folder_of: Callable[[Save], str], ending: str) -> None:
    """Eight images of one scene, as a camera stores it however it is held."""
    upright = np.repeat(np.repeat([[10, 90, 250], [90, 10, 10]], 16, 0), 16, 1).astype(np.uint8)
    root = Path(folder_of(lambda path, number: None))
    for orientation, stored in STORED.items():
        exif = Image.Exif()
        exif[274] = orientation
        picture = Image.fromarray(stored(upright))
        for part in ("train/a", "train/b", "test/a"):
            name = root / part / f"{orientation}{ending}"
            picture.save(name, exif=exif, **({"lossless": True} if ending == ".webp" else {}))
    (root / "test/b").rmdir()
    data = load(name="image_folder", path=str(root), standardise=False)
    shown = torch.from_numpy(upright / 255).expand(8, 3, 32, 48)
    torch.testing.assert_close(data.x_test.double(), shown, atol=0.02, rtol=0)


def test_a_damaged_exif_turns_nothing(load: Load, folder_of: Callable[[Save], str]) -> None:
    grey = Image.fromarray(ALPHA)
    path = folder_of(
        lambda path, number: grey.save(path.with_suffix(".png"), exif=b"Exif\0\0no tags at all")
    )
    data = load(name="image_folder", path=path, standardise=False)
    expected = torch.from_numpy(ALPHA / 255).float()
    torch.testing.assert_close(data.x_train, expected.expand(2, 3, 3, 4))
