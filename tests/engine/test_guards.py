"""What stops a worker that cannot keep its promises, each shown to fire."""

import pytest

from streams.engine.guards import check_versions
from streams.errors import Misconfigured


def test_a_wrong_library_version_refuses_to_start() -> None:
    """A worker never runs on a Faust whose internals were not tested with it."""
    with pytest.raises(Misconfigured, match="aiokafka"):
        check_versions({"aiokafka": "0.0.1"})
