"""The sandbox's webhook sender: pushes each change of a job, with the vices of a real one.

Seeded dice decide which pushes are lost, doubled, late, batched or compressed. What the receiver refuses is sent again
with a growing pause, so a receiver that was down gets everything after it is back.
"""

import asyncio
import base64
import gzip
import hashlib
import heapq
import hmac
import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.http import Http, Limits, Wire
from connectors.opentext_notifications.sandbox.life import PLANS, Job, snapshot
from connectors.opentext_notifications.sandbox.state import State, Webhook
from streams.errors import Failure

_IN_FLIGHT = 8
_BATCH = 5
_LIMITS = Limits(rate_per_s=2000, attempts=1, breaker_failures=10**9)


@dataclass(order=True, slots=True)
class _Push:
    due: datetime
    order: int
    snapshots: Sequence[Mapping[str, Any]] = field(compare=False)
    tries: int = field(default=0, compare=False)
    listed: bool = field(default=False, compare=False)


class Pusher:
    """Sends in the background of the event loop that accepted the job; nothing while no webhook is registered."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._dice = random.Random(state.config.seed)
        self._queue: list[_Push] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None
        self._http: Http | None = None
        self._webhook: Webhook | None = None
        self.counts: Counter[str] = Counter()
        if state.config.webhook:
            self.register(state.config.webhook)

    def register(self, webhook: Webhook | None) -> None:
        """Where to push from now on; None stops new pushes."""
        self._webhook = webhook
        wire = self._state.config.wire or Wire()
        self._http = wire.client("opentext_notifications_sandbox", webhook.url, None, _LIMITS) if webhook else None

    def accepted(self, job: Job) -> None:
        """Plans the pushes of a new job."""
        knobs = self._state.knobs
        if self._webhook is None:
            return
        for step in PLANS[job.outcome]:
            at = job.accepted_at + timedelta(seconds=step.at * knobs.life_s)
            if not step.told:
                continue
            if self._dice.random() >= knobs.webhook_rate:
                self.counts["lost"] += 1
                continue
            late = self._dice.random() * knobs.life_s if self._dice.random() < knobs.shuffle_rate else 0
            twice = self._dice.random() < knobs.duplicate_rate
            self.counts["doubled"] += twice
            for _ in range(1 + twice):
                due = at + timedelta(seconds=late)
                heapq.heappush(self._queue, _Push(due, next(self._order), [snapshot(job, at, knobs.life_s)]))
        self.wake()

    def wake(self) -> None:
        """Looks at the queue again: something was added, or time was moved."""
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._run())
        self._wake.set()

    def journal(self) -> dict[str, int]:
        """Counts, and what is still to be pushed."""
        return {**self.counts, "pending": len(self._queue) + len(self._tasks)}

    async def _run(self) -> None:
        while self._queue:
            self._wake.clear()
            wait = (self._queue[0].due - self._state.now()).total_seconds()
            if wait > 0:
                try:
                    await asyncio.wait_for(self._wake.wait(), wait)
                except TimeoutError:
                    pass
                continue
            await self._slots.acquire()
            task = asyncio.create_task(self._send(self._due()))
            self._tasks.add(task)
            task.add_done_callback(self._sent)

    def _due(self) -> _Push:
        """The next push, at times joined by others that are due as well."""
        push, now = heapq.heappop(self._queue), self._state.now()
        if push.tries == 0 and self._dice.random() < self._state.knobs.batch_rate:
            push.listed = True
            while len(push.snapshots) < _BATCH and self._queue and self._queue[0].due <= now:
                push.snapshots = [*push.snapshots, *heapq.heappop(self._queue).snapshots]
        return push

    async def _send(self, push: _Push) -> None:
        if self._http is None or self._webhook is None:
            return
        content = orjson.dumps(push.snapshots if push.listed else push.snapshots[0])
        headers = {"content-type": "application/json", "user-agent": "opentext-sandbox"}
        if self._dice.random() < self._state.knobs.gzip_rate:
            content, headers["content-encoding"] = gzip.compress(content, mtime=0), "gzip"
        self.counts["sent"] += 1
        try:
            await self._http.send(
                "push",
                "POST",
                self._webhook.url,
                content=content,
                headers=headers | proof(self._webhook, content),
                safe=True,
            )
            self.counts["delivered"] += 1
        except Failure as failure:
            self.counts["refused"] += 1
            self.counts[f"refused_{failure.code}"] += 1
            if push.tries + 1 < self._state.knobs.push_attempts:
                pause = min(0.2 * 2**push.tries, 5.0)
                push.due, push.tries = self._state.now() + timedelta(seconds=pause), push.tries + 1
                heapq.heappush(self._queue, push)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled():
            self.wake()


def proof(webhook: Webhook, content: bytes) -> dict[str, str]:
    """The header that proves a push, over the bytes as they go out."""
    if webhook.auth == "basic":
        pair = base64.b64encode(f"{webhook.user}:{webhook.password}".encode()).decode()
        return {webhook.header or "authorization": f"Basic {pair}"}
    if webhook.auth == "bearer":
        return {webhook.header or "authorization": f"Bearer {webhook.token}"}
    if webhook.auth == "hmac":
        digest = hmac.new(webhook.secret.encode(), content, hashlib.sha256).hexdigest()
        return {webhook.header or "x-signature": f"sha256={digest}"}
    return {}
