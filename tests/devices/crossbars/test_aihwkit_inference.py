import pytest
import torch
from aihwkit.simulator.tiles import InferenceTile

from devices.crossbars.aihwkit_config import preset_config
from devices.crossbars.aihwkit_inference import AihwkitInferenceCrossbar
from devices.interface import Dense, Outer

CPU = torch.device("cpu")
PERFECT = {"forward": {"is_perfect": True}}
NOISE_MODELS = [
    ("PCMLikeNoiseModel", 25.0),
    ("HermesNoiseModel", 25.0),
    ("ReRamWan2022NoiseModel", 86400.0),
    ("ReRamCMONoiseModel", 1000.0),
    ("StateIndependentNoiseModel", 25.0),
]
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")


def make(preset="InferenceRPUConfig", settings=None, shape=(40, 30), seed=0, **time):
    generator = torch.Generator().manual_seed(seed)
    return AihwkitInferenceCrossbar(*shape, preset_config(preset, settings), CPU, generator, **time)


def weights_read(crossbar, n_in=30):
    return crossbar.read(torch.eye(n_in)).T


def some_weights(shape=(40, 30)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(9)) / 5


@pytest.mark.parametrize("preset", ["InferenceRPUConfig", "TorchInferenceRPUConfig"])
def test_without_a_noise_model_what_is_asked_for_is_what_is_read(preset):
    crossbar, weights = make(preset, {**PERFECT, "noise_model": None}), some_weights()
    crossbar.program(weights)
    x, d = torch.randn(7, 30), torch.randn(7, 40)
    crossbar.update(Outer(x, d, 0.1))
    crossbar.update(Dense(weights))
    torch.testing.assert_close(weights_read(crossbar), 2 * weights - 0.1 * d.T @ x)
    y = torch.randn(3, 40)
    torch.testing.assert_close(crossbar.read_transposed(y), y @ weights_read(crossbar))
    assert crossbar.noise_free


@pytest.mark.parametrize("preset", ["InferenceRPUConfig", "TorchInferenceRPUConfig"])
@pytest.mark.parametrize("compensation", [{"class": "GlobalDriftCompensation"}, None])
def test_reads_from_the_columns_are_compensated_as_those_from_the_rows(preset, compensation):
    """Of the same drifted cells, whose read noise is switched off."""
    model = {"class": "PCMLikeNoiseModel", "read_noise_scale": 0.0}
    settings = {**PERFECT, "noise_model": model, "drift_compensation": compensation}
    crossbar = make(preset, settings, seconds_after_programming=3e6)
    crossbar.program(some_weights())
    drifted = weights_read(crossbar)
    torch.testing.assert_close(crossbar.read_transposed(torch.eye(40)), drifted)
    shrunk = (drifted * some_weights()).sum() / some_weights().square().sum()
    assert (shrunk > 0.9) == (compensation is not None)
    # what is programmed anew has not drifted when its columns are driven at once
    crossbar.program(some_weights())
    fresh = crossbar.read_transposed(torch.eye(40))
    assert (fresh * some_weights()).sum() / some_weights().square().sum() == pytest.approx(
        1, abs=0.05
    )


@pytest.mark.parametrize(("model", "seconds"), NOISE_MODELS)
def test_weights_are_programmed_with_the_noise_models_error(model, seconds):
    """The error that aihwkit's own tile makes with the same model, in mean square, within 25 %.

    Of 8,000 devices: the standard error of a mean square is near 2 %, with wide tails 5 %.
    """
    settings = {**PERFECT, "noise_model": {"class": model}}
    weights = some_weights((100, 80))
    crossbar = make(settings=settings, shape=(100, 80))
    crossbar.program(weights)
    tile = InferenceTile(100, 80, preset_config("InferenceRPUConfig", settings)).eval()
    tile.set_weights(weights)
    tile.program_weights()
    ours = (weights_read(crossbar, 80) - weights).square().mean()
    theirs = (tile.get_weights()[0] - weights).square().mean()
    assert theirs > 0
    assert ours.item() == pytest.approx(theirs.item(), rel=0.25)


def test_programming_error_does_not_add_up_over_updates():
    crossbar, weights = make(settings=PERFECT), some_weights()
    crossbar.program(weights)
    first = (weights_read(crossbar) - weights).square().mean()
    for _ in range(50):
        crossbar.update(Dense(torch.zeros(40, 30)))
    last = (weights_read(crossbar) - weights).square().mean()
    # 1,200 devices: each mean square has a standard error near 6 %
    assert last.item() == pytest.approx(first.item(), rel=0.5)


def test_every_write_has_an_error_of_its_own():
    crossbar = make(settings=PERFECT)
    crossbar.program(some_weights())
    first = weights_read(crossbar)
    crossbar.program(some_weights())
    assert (weights_read(crossbar) != first).float().mean() > 0.9


@pytest.mark.parametrize(("model", "seconds"), NOISE_MODELS)
@pytest.mark.parametrize("preset", ["InferenceRPUConfig", "TorchInferenceRPUConfig"])
def test_every_noise_model_drifts(preset, model, seconds):
    settings = {**PERFECT, "noise_model": {"class": model}}
    crossbar = make(preset, settings, seconds_after_programming=seconds)
    crossbar.program(some_weights())
    first, second = weights_read(crossbar), weights_read(crossbar)
    assert first.isfinite().all()
    assert not crossbar.noise_free
    assert not torch.equal(first, second)


def test_drift_follows_the_power_law_and_time_goes_on_read_by_read():
    """G(t) = G (1 + t / t₀)^-ν with PCM's ν; t₀ = 20 s. No noise but the spread of ν."""
    model = {"prog_noise_scale": 0.0, "read_noise_scale": 0.0}
    settings = {**PERFECT, "noise_model": model, "drift_compensation": None}
    crossbar = make(settings=settings, seconds_after_programming=20.0, seconds_per_read=180.0)
    weights = some_weights()
    crossbar.program(weights)
    ratios = [weights_read(crossbar) / weights for _ in range(2)]
    exponents = [
        -ratio.log() / torch.tensor(t).log() for ratio, t in zip(ratios, (2.0, 11.0), strict=True)
    ]
    torch.testing.assert_close(*exponents, rtol=1e-3, atol=1e-4)
    mean = exponents[0].mean().item()
    assert 0.03 < mean < 0.11, "outside PCMLikeNoiseModel's range of drift coefficients"


def test_an_update_begins_the_time_anew():
    model = {"prog_noise_scale": 0.0, "read_noise_scale": 0.0}
    settings = {**PERFECT, "noise_model": model, "drift_compensation": None}
    crossbar = make(settings=settings, seconds_per_read=1000.0)
    weights = some_weights()
    crossbar.program(weights)
    weights_read(crossbar)
    assert weights_read(crossbar).norm() < 0.9 * weights.norm()
    crossbar.update(Dense(torch.zeros(40, 30)))
    torch.testing.assert_close(weights_read(crossbar), weights)


def test_drift_compensation_brings_the_scale_back():
    weights = some_weights()
    scale = {}
    for name, compensation in (("with", {}), ("without", {"drift_compensation": None})):
        settings = {**PERFECT, **compensation}
        crossbar = make(settings=settings, seconds_after_programming=1e6)
        crossbar.program(weights)
        scale[name] = (weights_read(crossbar) * weights).sum() / weights.square().sum()
    assert scale["without"] < 0.8
    assert abs(scale["with"] - 1) < 0.1


@pytest.mark.parametrize("time", [{}, {"seconds_after_programming": 100.0}])
def test_torch_tiles_repeat_bitwise_under_a_seed_and_leave_the_global_generator_alone(time):
    def run(seed):
        crossbar = make("TorchInferenceRPUConfig", seed=seed, **time)
        crossbar.program(some_weights())
        crossbar.update(Dense(some_weights() / 10))
        return crossbar.read(torch.ones(5, 30), repeats=2)

    before = torch.get_rng_state()
    first = run(1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(run(1), first)
    assert not torch.equal(run(2), first)


@pytest.mark.parametrize("preset", ["TorchInferenceRPUConfig", "StandardHWATrainingPreset"])
def test_a_state_takes_the_target_the_devices_and_the_time_back(preset):
    time = {"seconds_after_programming": 10.0, "seconds_per_read": 5.0}
    crossbar, other = (make(preset, seed=seed, **time) for seed in (1, 2))
    crossbar.program(some_weights())
    crossbar.read(torch.ones(5, 30))
    saved = crossbar.state()
    other.restore(saved)
    restored = other.state()
    assert saved.keys() == restored.keys()
    assert all(torch.equal(saved[name], restored[name]) for name in saved)
    if preset == "TorchInferenceRPUConfig":
        x = torch.ones(5, 30)
        assert torch.equal(crossbar.read(x), other.read(x))


def test_the_first_reads_calibrate_the_input_range():
    """aihwkit: 3 standard deviations of the inputs, averaged over the first reads."""
    crossbar = make("StandardHWATrainingPreset")
    crossbar.program(some_weights())
    x = torch.randn(1000, 30) / 10
    for _ in range(3):
        crossbar.read(x)
    assert crossbar.state()["periphery.input_range"].item() == pytest.approx(3 * x.std().item())


def test_clipping_bounds_the_target():
    settings = {**PERFECT, "noise_model": None, "clip": {"type": "FIXED_VALUE", "fixed_value": 0.1}}
    crossbar, weights = make(settings=settings), some_weights()
    crossbar.program(weights)
    torch.testing.assert_close(weights_read(crossbar), weights.clamp(-0.1, 0.1))
    crossbar.update(Dense(torch.zeros(40, 30)))
    torch.testing.assert_close(weights_read(crossbar), weights.clamp(-0.1, 0.1))


def test_scaling_onto_the_conductance_range_leaves_the_weights_as_they_are():
    mapping = {"weight_scaling_omega": 1.0, "weight_scaling_columnwise": True}
    settings = {**PERFECT, "noise_model": None, "mapping": mapping}
    crossbar, weights = make(settings=settings), some_weights()
    crossbar.program(weights)
    torch.testing.assert_close(weights_read(crossbar), weights)
    assert crossbar.state()["weights"].abs().amax(1).allclose(torch.ones(40))


def test_what_compensates_drift_is_read_row_by_row_and_counted():
    crossbar, x = make(seconds_after_programming=20.0), torch.randn(4, 30)
    crossbar.program(some_weights())
    assert crossbar.wear.reads == 30
    crossbar.read(x)
    assert crossbar.wear.reads == 60
    with crossbar.without_trace():
        crossbar.read(x)
    state = crossbar.state()
    crossbar.read(x)
    crossbar.restore(state)
    assert crossbar.wear.reads == 60
    still = make()
    still.program(some_weights())
    assert still.wear.reads == 0
