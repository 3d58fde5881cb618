"""What the service takes, what it refuses, and that it goes on after that."""

from __future__ import annotations

import grpc
import pytest
import torch
import trustme

from devices.interface import CapabilityError, Dense, Drawn, LayerUpdate, Outer
from substrate.wire import chip_pb2 as pb
from substrate.wire.address import AddressError, Guard, check_guard, is_loopback
from substrate.wire.errors import ChipNotFinite, ChipRefused, WireError
from substrate.wire.frames import pack, unpack
from substrate.wire.link import Link
from substrate.wire.requests import write_update
from substrate.wire.retries import Patience
from substrate.wire.server import SERVICE
from substrate.wire.states import KEPT
from substrate.wire.stream import Stream
from tests.substrate.wire.fuzz import fuzz
from tests.wires import ADAM, DANP, IMPATIENT, NATIVE, a_host, a_scenario, a_server

INJECTS = {**NATIVE, "inject": True, "transposed_read": True}
SCENARIO = a_scenario(INJECTS, {**DANP, "decorrelation": {}})
NAN, INFINITE = torch.full((2, 64), float("nan")), torch.full((2, 64), float("inf"))


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with a_server(SCENARIO, tmp_path_factory.mktemp("states")) as address, a_host(address) as found:
        found.begin(0)
        yield found


@pytest.mark.parametrize(
    ("passes", "refused", "named"),
    [
        (lambda chip: chip.forward(NAN), ChipNotFinite, "x has a value that is NaN"),
        (lambda chip: chip.forward(INFINITE), ChipNotFinite, "NaN or infinite"),
        (lambda chip: chip.forward(torch.ones(2, 63)), ChipRefused, r"\(2, 63\)"),
        (lambda chip: chip.forward(torch.ones(0, 64)), ChipRefused, "should have"),
        (lambda chip: chip.forward(torch.ones(2, 64).double()), ChipRefused, "should have"),
        (lambda chip: chip.passes(torch.ones(2, 64), []), ChipRefused, "0 passes"),
        (
            lambda chip: chip.passes(torch.ones(2, 64), [None], samples=[3]),
            ChipRefused,
            "samples must name",
        ),
        (
            lambda chip: chip.forward(torch.ones(2, 64), (torch.ones(2, 9), None, None)),
            ChipRefused,
            "perturbation of layer 0",
        ),
        (
            lambda chip: chip.passes(
                torch.ones(2, 64), [Drawn(frozenset({-1}), 1.0, torch.Generator())]
            ),
            ChipRefused,
            "no layer -1",
        ),
        (lambda chip: chip.read_transposed(0, torch.ones(2, 9)), ChipRefused, "should have"),
        (
            lambda chip: chip.read_transposed(0, torch.full((2, 12), float("nan"))),
            ChipNotFinite,
            "drives the matrix",
        ),
        (lambda chip: chip.read_mirror(1, torch.ones(2, 12)), CapabilityError, "no mirror"),
        (lambda chip: chip.activate(0, torch.ones(2, 9)), ChipRefused, "a has the shape"),
        (lambda chip: chip.read_transposed(-1, torch.ones(2, 9)), ValueError, "no layer -1"),
        (
            lambda chip: chip.apply([LayerUpdate(-1, bias=torch.ones(12))]),
            ValueError,
            "no layer -1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_the_chip_goes_on(host, passes, refused, named):
    before = host.ledger()
    with pytest.raises(refused, match=named):
        passes(host.chip)
    assert host.ledger() == before
    assert host.chip.forward(torch.ones(2, 64)).output.shape == (2, 10)


@pytest.mark.parametrize(
    ("update", "refused", "named"),
    [
        (LayerUpdate(-1, bias=torch.ones(12)), ChipRefused, "no layer -1"),
        (LayerUpdate(9, bias=torch.ones(12)), ChipRefused, "no layer 9"),
        (LayerUpdate(0, bias=torch.full((12,), float("nan"))), ChipNotFinite, "NaN or infinite"),
        (LayerUpdate(0, weight=Dense(torch.ones(12, 63))), ChipRefused, "delta"),
        (
            LayerUpdate(0, weight=Outer(torch.ones(2, 64), torch.ones(2, 12), float("inf"))),
            ChipNotFinite,
            "rate",
        ),
        (LayerUpdate(1, mirror=Dense(torch.ones(11, 12))), CapabilityError, "no mirror"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_by_the_server_itself(host, update, refused, named):
    """The learner's end refuses some of these as well, and is passed by here."""
    seen = host.chip.forward(torch.zeros(1, 64)).output
    with host._link.order() as (order, tensors):
        write_update(update, order.apply.updates.add(), tensors)
    with pytest.raises(refused, match=named):
        host.ledger()
    # of zeros a layer makes its bias, which nothing has changed
    torch.testing.assert_close(host.chip.forward(torch.zeros(1, 64)).output, seen, atol=1, rtol=0)


def test_a_request_that_is_too_large_is_refused_here_and_there(tmp_path):
    with a_server(SCENARIO, tmp_path, max_message_bytes=2**20) as address:
        with a_host(address) as host:
            host.begin(0)
            with pytest.raises(ChipRefused, match="larger than the 1,048,576"):
                host.chip.forward(torch.ones(5000, 64))
            host.chip.forward(torch.ones(5, 64))
        with grpc.insecure_channel(address) as channel:
            call = channel.unary_unary(f"/{SERVICE}/Lease")
            with pytest.raises(grpc.RpcError) as refused:
                call(bytes(2**21), timeout=10)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            unpack(
                pb.Description,
                channel.unary_unary(f"/{SERVICE}/Describe")(pack(pb.DescribeRequest()), timeout=10),
            )


def test_a_driver_that_fails_tells_no_more_than_that(tmp_path, monkeypatch):
    from devices.chip import NetworkChip

    with a_server(SCENARIO, tmp_path) as address, a_host(address) as host:
        host.begin(0)

        for kind in (RuntimeError, ValueError):

            def broken(self, *_: object, kind=kind, **__: object):
                raise kind(f"weights are {self._layers[0].crossbar}")

            with monkeypatch.context() as patched:
                patched.setattr(NetworkChip, "passes", broken)
                with pytest.raises(WireError, match=rf"the chip failed \({kind.__name__}\)$"):
                    host.chip.forward(torch.ones(2, 64))
        host.chip.forward(torch.ones(2, 64))


def test_fuzzed_requests_are_all_answered(tmp_path):
    # 10,000 of them: `python -m tests.torture.wire fuzz`
    with a_server(SCENARIO, tmp_path) as address:
        answers, _ = fuzz(address, 300, seed=1)
        assert answers["INVALID"] > 20
        assert answers["UNREADABLE"] > 10
        assert answers["done"] > 100


@pytest.mark.parametrize(
    ("address", "guard", "missing"),
    [
        ("0.0.0.0:50051", Guard(), "TLS"),
        ("[::]:50051", Guard(), "TLS"),
        ("lab.example.org:1", Guard(), "TLS"),
        ("0.0.0.0:1", Guard(certificate="c", key="k"), "--token, or --authority"),
        ("0.0.0.0:1", Guard(token="t"), "TLS"),
        ("localhost:1", Guard(certificate="c"), "go together"),
        ("nowhere", Guard(), "is no address"),
        ("localhost:99999", Guard(), "is no address"),
    ],
)
def test_off_loopback_it_does_not_start_without_a_guard(address, guard, missing):
    with pytest.raises(AddressError, match=missing):
        check_guard(address, guard)


def test_what_is_loopback():
    assert all(
        map(is_loopback, ["localhost:1", "127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "unix:/a"])
    )
    assert not any(
        map(is_loopback, ["0.0.0.0:1", "[::]:1", "localhost.example.org:1", "10.0.0.1:1"])
    )


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A server's and a learner's certificate, and two tokens."""
    folder = tmp_path_factory.mktemp("pki")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for name, identity in (("server", "localhost"), ("learner", "learner@example.org")):
        made = authority.issue_cert(identity)
        made.private_key_pem.write_to_path(folder / f"{name}.key")
        made.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    (folder / "token").write_text("0123456789abcdef\n")
    (folder / "other").write_text("fedcba9876543210\n")
    (folder / "short").write_text("secret\n")
    return folder


def connect(address: str, guard: Guard) -> str:
    link = Link(Stream(address, guard, Patience(deadline=5.0, attempts_seconds=1.0)))
    link.close()
    return link.about.title


def test_tls_and_a_token(pki, tmp_path):
    guard = Guard(pki / "server.pem", pki / "server.key", token=pki / "token")
    with a_server(SCENARIO, tmp_path, guard=guard) as address:
        knows = Guard(authority=pki / "authority.pem", token=pki / "token")
        assert connect(address, knows) == "native rasch_2019"
        for wrong in (
            Guard(authority=pki / "authority.pem"),
            Guard(authority=pki / "authority.pem", token=pki / "other"),
        ):
            with pytest.raises(WireError, match="the token is missing, or is another one"):
                connect(address, wrong)
        with pytest.raises(WireError, match="no answer"):
            connect(address, Guard(token=pki / "token"))  # in the clear
        with pytest.raises(AddressError, match="at least 16"):
            connect(address, Guard(authority=pki / "authority.pem", token=pki / "short"))


def test_tls_and_a_certificate_of_the_learners(pki, tmp_path):
    files = pki / "server.pem", pki / "server.key", pki / "authority.pem"
    with a_server(SCENARIO, tmp_path, guard=Guard(*files)) as address:
        own = Guard(pki / "learner.pem", pki / "learner.key", pki / "authority.pem")
        assert connect(address, own) == "native rasch_2019"
        with pytest.raises(WireError, match="no answer"):
            connect(address, Guard(authority=pki / "authority.pem"))


def test_what_answers_may_be_no_chip(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("localhost:0")
    server.start()
    with pytest.raises(WireError, match="what answers there is no chip"):
        Link(Stream(f"localhost:{port}", Guard(), IMPATIENT))
    server.stop(None)


def test_a_rule_without_injection_is_told_so(tmp_path):
    scenario = a_scenario(NATIVE, {**DANP, "optimiser": ADAM})
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        host.begin(0)
        with pytest.raises(CapabilityError, match="'inject'"):
            host.chip.forward(torch.ones(2, 64), (None, None, None))


def test_a_learner_begins_for_itself_and_leaves_others_states_alone(tmp_path):
    with a_server(SCENARIO, tmp_path) as address:
        with a_host(address) as one:
            one.begin(0)
            first = one.state()
        with a_host(address) as other:
            with pytest.raises(ChipRefused, match="before a training was begun"):
                other.chip.forward(torch.ones(2, 64))
            other.begin(0)
            for _ in range(10):
                other.chip.apply([LayerUpdate(0, bias=torch.ones(12))])
                other.state()
            assert len(list(tmp_path.glob("*.safetensors"))) == 1 + KEPT
            other.restore(first)
        assert tmp_path.stat().st_mode & 0o777 == 0o700
