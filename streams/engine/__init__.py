"""Faust that loses nothing and repeats nothing: transactional lanes under ordinary agents. README.md tells how."""

from streams.engine.host import Host
from streams.engine.model import ATTEMPT, Headers, Out, Record, Timer
from streams.engine.stage import EngineConfig, Observer, Stage
from streams.engine.step import STATE, Step

__all__ = ["ATTEMPT", "STATE", "EngineConfig", "Headers", "Host", "Observer", "Out", "Record", "Stage", "Step", "Timer"]
