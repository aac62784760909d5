"""The Confluent wire format, which every consumer in the field can read: a zero byte, the schema id, the Avro.

Plain functions, so that a stage can look at a frame without decoding it.
"""

from struct import Struct

from streams.errors import Reject

_HEAD = Struct(">BI")
_MAGIC = 0


def head(schema_id: int) -> bytes:
    """What precedes the Avro of a value written with this schema."""
    return _HEAD.pack(_MAGIC, schema_id)


def frame(schema_id: int, avro: bytes) -> bytes:
    """A value as it goes to Kafka."""
    return head(schema_id) + avro


def unframe(value: bytes) -> tuple[int, bytes]:
    """The schema id and the Avro of a value from Kafka."""
    if len(value) < _HEAD.size or value[0] != _MAGIC:
        got = f"{len(value)} bytes" + (f" beginning with 0x{value[0]:02x}" if value else "")
        raise Reject("bad_framing", f"expected a zero byte, a 4-byte schema id and Avro, not {got}; check its producer")
    return int(_HEAD.unpack_from(value)[1]), value[_HEAD.size :]
