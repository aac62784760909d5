"""The wire format is Confluent's, byte for byte."""

import io

import pytest
from confluent_kafka.schema_registry.serde import SchemaId
from hypothesis import given
from hypothesis import strategies as st

from schemas.framing import frame, unframe
from streams.errors import Reject


@given(schema_id=st.integers(0, 2**32 - 1), body=st.binary(max_size=20))
def test_a_frame_gives_back_what_was_framed(schema_id: int, body: bytes) -> None:
    """Framing loses and adds nothing."""
    assert unframe(frame(schema_id, body)) == (schema_id, body)


def test_the_frame_is_the_one_of_other_clients() -> None:
    """A consumer with Confluent's own client reads our values."""
    foreign = SchemaId("AVRO")
    rest = foreign.from_bytes(io.BytesIO(frame(0x01020304, b"avro")))
    assert (foreign.id, rest.read()) == (0x01020304, b"avro")


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x01", b"{}xxxx", b"\x01\x00\x00\x00\x01"])
def test_what_is_not_framed_is_refused(value: bytes) -> None:
    """Bytes that are not ours are recognised before anything is read from them."""
    with pytest.raises(Reject) as refusal:
        unframe(value)
    assert refusal.value.code == "bad_framing"
