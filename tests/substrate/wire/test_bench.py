"""A chip on a bench behind a wire: trained, its report passed on, and not saved."""

from pathlib import Path

from substrate.new.write import write_new
from tests.wires import a_host, a_scenario, a_server, trained

LEARNING = {"rule": "bp", "optimiser": {"name": "sgd", "learning_rate": 0.3}}


def test_a_bench_is_trained_over_the_wire(working_folder: Path) -> None:
    write_new("bench", "ProbeStation", working_folder)
    bench = {
        "bench": f"{working_folder}/probe_station.py:ProbeStation",
        "settings": {"temperature": 77.0},
    }
    scenario = a_scenario(bench, LEARNING, epochs=2, network={"layers": [16]})
    with a_server(scenario, working_folder / "states") as address:
        for _ in range(2):  # the second training opens the bench anew
            with a_host(address) as host:
                assert not host.saves
                run, figures = trained(scenario, host)
                assert figures[5] < figures[3] - 0.05  # training losses of the two epochs
                assert host.reported()["temperature (K)"] == 77.0
                assert run.ledger().training.passes > 0
