"""The generated module is that of the schema, and every field of the schema is told of."""

import re
import sys
from pathlib import Path

from grpc_tools import protoc

from substrate.wire import chip_pb2 as pb

FOLDER = Path(pb.__file__).parent


def test_the_generated_module_is_of_the_schema(tmp_path):
    arguments = ["protoc", f"-I{FOLDER}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    assert protoc.main([*arguments, str(FOLDER / "chip.proto")]) == 0, sys.argv
    for name in ("chip_pb2.py", "chip_pb2.pyi"):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text(), (
            "make it anew: python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. chip.proto"
        )


def test_every_message_begins_with_its_checksum():
    whole = [
        each
        for each in pb.DESCRIPTOR.message_types_by_name.values()
        if "crc32c" in each.fields_by_name
    ]
    assert {each.name for each in whole} == {
        "Request",
        "Reply",
        "DescribeRequest",
        "Description",
        "HealthRequest",
        "HealthReply",
        "LeaseRequest",
        "LeaseReply",
        "ReleaseRequest",
        "ReleaseReply",
    }
    for each in whole:
        assert each.fields_by_name["crc32c"].number == 1, each.name


def test_no_number_of_a_field_is_used_twice_or_free():
    text = (FOLDER / "chip.proto").read_text()
    assert "package substrate.chip.v1;" in text
    assert not re.search(r"\bTODO\b", text)
