"""Faust that loses nothing and repeats nothing: transactional lanes under ordinary agents. README.md tells how.

The host is not imported here: whoever only declares a stage, or reads its records, need not load Faust.
"""

from streams.engine.model import ATTEMPT, RECORD_MAX, Headers, Out, Record, Timer
from streams.engine.stage import EngineConfig, Observer, Stage, Standing
from streams.engine.state import STATE
from streams.engine.step import Step, each

__all__ = [
    "ATTEMPT",
    "RECORD_MAX",
    "STATE",
    "EngineConfig",
    "Headers",
    "Observer",
    "Out",
    "Record",
    "Stage",
    "Standing",
    "Step",
    "Timer",
    "each",
]
