"""The encoded orders of a burst, made once and kept on disk, so that producing them costs next to nothing.

An order is kept with the checksum of the request it must lead to. Files hold chunks with seeds of their own: any number
of orders is a prefix of any larger number.
"""

import hashlib
import random
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from tests.bench.engine import workload
from tests.bench.engine.workload import FIRST_BURST_TS, SEED, decide, enc_order, enc_request, order_of, profile_of

CHUNK = 50_000
_HEAD = struct.Struct("<IIdH")


class Order(NamedTuple):
    """An encoded order, its amount, and the checksum of the request it leads to."""

    customer: int
    request: int
    total: float
    value: bytes


def prepare(folder: Path, count: int) -> Path:
    """Makes what is missing of the first `count` orders; gives the folder to read them from."""
    digest = hashlib.sha256(Path(workload.__file__).read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    kept = folder / f"bench-orders-{digest}"
    kept.mkdir(parents=True, exist_ok=True)
    missing = [chunk for chunk in range(-(-count // CHUNK)) if not _path(kept, chunk).exists()]
    if missing:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(partial(_make, kept), missing))
    return kept


def read(kept: Path, first: int, count: int) -> Iterator[Order]:
    """`count` orders from number `first`, in order."""
    skip = first % CHUNK
    for chunk in range(first // CHUNK, -(-(first + count) // CHUNK)):
        for order in unpack(_path(kept, chunk).read_bytes()):
            if skip:
                skip -= 1
            elif count:
                count -= 1
                yield order


def pack(order: Order) -> bytes:
    """An order as a chunk holds it."""
    return _HEAD.pack(order.customer, order.request, order.total, len(order.value)) + order.value


def unpack(chunk: bytes) -> Iterator[Order]:
    """All orders of a chunk."""
    at = 0
    while at < len(chunk):
        customer, request, total, size = _HEAD.unpack_from(chunk, at)
        at += _HEAD.size + size
        yield Order(customer, request, total, chunk[at - size : at])


def _path(kept: Path, chunk: int) -> Path:
    return kept / f"{chunk:05d}.bin"


def _make(kept: Path, chunk: int) -> None:
    chance = random.Random(SEED * 1_000_003 + chunk)
    packed = []
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        customer, fields = order_of(number, chance, FIRST_BURST_TS + number)
        # What is asked for depends on the state only when an order comes twice, and none does.
        request, _ = decide(fields, profile_of(customer), None)
        checksum = zlib.crc32(enc_request(request))
        packed.append(pack(Order(customer, checksum, fields["total"], enc_order(fields))))
    partial_file = _path(kept, chunk).with_suffix(".part")
    partial_file.write_bytes(b"".join(packed))
    partial_file.rename(_path(kept, chunk))
