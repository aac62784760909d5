"""`tidings demo`: one command that shows the whole loop on one machine and, asked to, proves it.

Everything it starts ends with it, however it ends. What people read goes to stderr; stdout gets the summary alone.
"""

import asyncio
import itertools
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import AsyncIterator, TextIO

import orjson

from connectors.http import Wire
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streams.console import page
from streams.console.feed import Feed
from streams.console.terminal import HINT, Terminal
from streams.console.view import View
from streams.demo.play import Play
from streams.demo.scenario import endless, fixed_set
from streams.demo.settle import settled
from streams.demo.surroundings import WAIT_S, Surroundings
from streams.demo.troupe import Member, Troupe
from streams.errors import Misconfigured
