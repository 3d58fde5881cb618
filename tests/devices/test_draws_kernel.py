import platform

import numpy as np
import pytest
from numba import njit
from scipy import stats

from devices.draws_kernel import TILE, fill, philox

NO_SIGNAL = np.empty(0, np.float32)
UNROUNDED = (NO_SIGNAL, 0, 0.0)

# Random123, tests/kat_vectors, release 1.14.0: "philox4x32 10", counter, key, words
KNOWN = [
    (f"{counter} {counter}", counter, expected)
    for counter, expected in (
        ("00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    )
] + [
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    )
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def philox_in_python(counter: list[int], key: list[int]) -> list[int]:
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_words(counter, key, expected):
    assert philox_in_python(words(counter), words(key)) == words(expected)
    arguments = [np.uint64(word) for word in words(counter) + words(key)]
    assert [int(word) for word in philox(*arguments)] == words(expected)


def expected_words(tile: int, key: int, stream: int) -> np.ndarray:
    """The words of a tile, (4, counters), from the generator written in Python."""
    counters = range(tile * TILE // 4, (tile + 1) * TILE // 4)
    halves = [key & 0xFFFFFFFF, key >> 32]
    upper = [stream & 0xFFFFFFFF, stream >> 32]
    each = [philox_in_python([n & 0xFFFFFFFF, n >> 32, *upper], halves) for n in counters]
    return np.array(each, np.uint32).T


# the second begins beyond 2³² counters
@pytest.mark.parametrize("tile", [3, 2**33 // TILE * 4 + 1])
def test_uniform_numbers_are_the_upper_bits_of_the_words(tile):
    key, stream = 0xA4093822299F31D0, (7 << 32) + 5
    drawn = np.empty(TILE, np.float32)
    fill(drawn, NO_SIGNAL, 2.0, tile, key, stream, False, *UNROUNDED)
    expected = (expected_words(tile, key, stream).reshape(-1) >> 8) * 2.0**-24 * 2
    assert np.array_equal(drawn, expected)


def test_normal_numbers_are_those_of_box_and_muller():
    key, stream = 0xDEADBEEF12345678, 1
    drawn = np.empty(TILE, np.float32)
    fill(drawn, NO_SIGNAL, 1.0, 0, key, stream, True, *UNROUNDED)
    for half in range(2):
        a, b = expected_words(0, key, stream)[2 * half : 2 * half + 2].astype(np.int64)
        r = np.sqrt(-2 * np.log((a + 0.5) / 2**32))
        psi = np.where(b & 2**29, (b & 2**30 - 1) - 2**30, b & 2**30 - 1) / 2**29 * np.pi / 4
        z = np.stack([r * np.cos(psi + np.pi / 4), r * np.sin(psi + np.pi / 4)])
        z *= np.stack([1 - 2 * (b >> 31), 1 - 2 * (b >> 30 & 1)])
        found = drawn.reshape(2, 2, -1)[half]
        # a few roundings of float32 at |z| ≤ 6.8
        assert np.abs(found - z).max() < 2e-6


def test_moments_and_distribution_are_those_of_the_normal():
    n = 4_000_000
    z = np.empty(n, np.float32)
    fill(z, NO_SIGNAL, 1.0, 0, 1, 0, True, *UNROUNDED)
    z = z.astype(np.float64)
    # the k-th moment's estimate has the variance (E z^2k - (E z^k)²) / n; false alarm 1e-6 in all
    limit = stats.norm.isf(1e-6 / 8 / 2)
    power = np.ones(n)
    for k in range(1, 9):
        power *= z
        mean, square = stats.norm.moment(k), stats.norm.moment(2 * k)
        assert abs(power.mean() - mean) < limit * np.sqrt((square - mean**2) / n)
    assert stats.kstest(z, stats.norm.cdf).pvalue > 1e-6


def test_tails_are_as_heavy_as_the_normals():
    z = np.empty(2**24, np.float32)
    fill(z, NO_SIGNAL, 1.0, 0, 2, 0, True, *UNROUNDED)
    # false alarm 1e-6 for each of eight counts
    for limit in (3.0, 4.0, 4.5, 5.0):
        for tail in (z > limit, z < -limit):
            expected = stats.poisson(len(z) * stats.norm.sf(limit))
            count = int(tail.sum())
            assert min(expected.cdf(count), expected.sf(count - 1)) > 0.5e-6
    assert 4.5 < np.abs(z).max() < 6.8


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """√n times the correlation, standard normal where there is none."""
    return float(np.corrcoef(one, other)[0, 1] * np.sqrt(len(one)))


@pytest.mark.parametrize("power", [1, 2])
def test_neighbours_and_partners_are_independent(power):
    z = np.empty(2**21, np.float32)
    fill(z, NO_SIGNAL, 1.0, 0, 3, 0, True, *UNROUNDED)
    z = z.astype(np.float64) ** power
    # partners of Box and Muller's transform, and words of one counter, are quarters of a tile apart
    lags = [1, 2, 3, 4, 8, 16, TILE // 4, TILE // 2, 3 * TILE // 4, TILE]
    limit = stats.norm.isf(1e-6 / len(lags) / 2)
    assert all(abs(correlation(z[:-lag], z[lag:])) < limit for lag in lags)


@pytest.mark.parametrize("power", [1, 2])
def test_keys_streams_and_tiles_are_independent(power):
    origins = [(0, 4, 0), (0, 5, 0), (0, 4 << 32, 0), (0, 4, 1), (0, 4, 1 << 32), (512, 4, 0)]
    drawn = np.empty((len(origins), 2**20), np.float32)
    for values, (tile, key, stream) in zip(drawn, origins, strict=True):
        fill(values, NO_SIGNAL, 1.0, tile, key, stream, True, *UNROUNDED)
    drawn = drawn.astype(np.float64) ** power
    pairs = [(i, j) for i in range(len(origins)) for j in range(i)]
    limit = stats.norm.isf(1e-6 / len(pairs) / 2)
    assert all(abs(correlation(drawn[i], drawn[j])) < limit for i, j in pairs)


def test_the_spectrum_is_white():
    n = 2**20
    z = np.empty(n, np.float32)
    fill(z, NO_SIGNAL, 1.0, 0, 6, 0, True, *UNROUNDED)
    power = np.abs(np.fft.rfft(z.astype(np.float64))[1:-1]) ** 2 / n
    # every ordinate of white noise is exponential, of mean 1; so it is in all of 64 bands alike
    assert stats.kstest(power, stats.expon.cdf).pvalue > 1e-6
    bands = np.array([band.sum() for band in np.array_split(power, 64)])
    sizes = np.array([len(band) for band in np.array_split(power, 64)])
    each = 2 * stats.gamma.sf(bands, sizes), 2 * stats.gamma.cdf(bands, sizes)
    assert np.minimum(*each).min() > 1e-6 / 64


def test_uniform_numbers_are_uniform():
    u = np.empty(4_000_000, np.float32)
    fill(u, NO_SIGNAL, 1.0, 0, 7, 0, False, *UNROUNDED)
    assert u.min() >= 0
    assert u.max() < 1
    assert stats.kstest(u.astype(np.float64), "uniform").pvalue > 1e-6


def test_numbers_are_added_to_a_signal():
    z, noisy = np.empty(5000, np.float32), np.empty(5000, np.float32)
    signal = np.linspace(-1, 1, 5000, dtype=np.float32)
    fill(z, NO_SIGNAL, 0.1, 0, 8, 0, True, *UNROUNDED)
    fill(noisy, signal, 0.1, 0, 8, 0, True, *UNROUNDED)
    np.testing.assert_allclose(noisy, signal + z, atol=2e-7)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the names of x86 instructions")
def test_it_is_compiled_to_vector_instructions():
    # afresh, since numba does not show cached code
    fresh = njit(fill.signatures, fastmath={"contract"})(fill.py_func)
    assembly = "".join(fresh.inspect_asm().values())
    assert "sqrtps" in assembly
    assert not any(called in assembly for called in ("logf", "sinf", "cosf", "sqrtf"))
