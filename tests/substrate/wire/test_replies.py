"""What a chip tells, read as it was written."""

from devices.ledger import Counts
from substrate.wire import chip_pb2 as pb
from substrate.wire.replies import read_counts, write_counts
from tests.substrate.bill.test_bill import counts, matrix


def test_a_ledger_is_read_as_it_was_written() -> None:
    told = pb.Counts()
    ledger = counts(matrix(cells_per_weight=2, array_rows=4), matrix("digital"))
    write_counts(ledger, (40, 3), told)
    assert read_counts(told) == ledger
    assert (told.trains, told.trains_cut_short) == (40, 3)


def test_a_server_that_says_nothing_of_pairs_has_one_cell_a_weight() -> None:
    told = pb.Counts()
    write_counts(counts(matrix(cells_per_weight=2)), None, told)
    told.matrices[0].ClearField("cells_per_weight")
    found: Counts = read_counts(told)
    assert found == counts(matrix())
