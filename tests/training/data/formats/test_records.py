import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_training.data.formats import records
from vidan_training.data.formats.records import BrokenRecordError, read_records, write_record


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=30)
def test_records_are_read_back_as_written(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("r") / "a.record"
    with path.open("wb") as stream:
        for content in contents:
            write_record(stream, content)
    assert [data for _, data in read_records(path)] == contents
    whole = path.read_bytes()
    for offset, data in read_records(path):
        assert whole[offset : offset + len(data)] == data


def test_the_checksum_equals_that_of_tensorflow():
    # CRC-32C of "123456789" is E3069283 (RFC 3720); rotated right by 15 and plus A282EAD8:
    # (E3069283 >> 15 | E3069283 << 17) = 2507C60D; + A282EAD8 = C78AB0E5.
    assert records.masked_crc32c(b"123456789") == 0xC78AB0E5


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-9], lambda d: d[:40] + b"?" + d[41:], lambda d: b"?" + d]
)
def test_damaged_records_are_errors(tmp_path, damage):
    path = tmp_path / "a.record"
    with path.open("wb") as stream:
        write_record(stream, b"x" * 50)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BrokenRecordError):
        list(read_records(path))
