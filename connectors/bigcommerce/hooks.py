"""Keeps the store's subscriptions as they should be: one hook per event we understand, all of them switched on.

BigCommerce switches a hook off after two days of failures or ninety days without an event, and tells only by mail.
"""

from connectors.bigcommerce.api import Api
from connectors.bigcommerce.hydrate import STEPS
from connectors.bigcommerce.settings import Settings
from connectors.values import reading


async def subscribe(api: Api, settings: Settings, destination: str) -> dict[str, str]:
    """Every hook to `destination`, active and with our header: scope -> "created", "repaired" or "unchanged"."""
    value = settings.hook_header_value
    headers = {settings.hook_header_name: value.get_secret_value()} if value else {}
    present = {hook.get("scope"): hook for hook in await api.hooks() if hook.get("destination") == destination}
    done: dict[str, str] = {}
    for scope in sorted(STEPS):
        hook = present.get(scope)
        if hook is None:
            await api.create_hook(scope, destination, headers)
            done[scope] = "created"
        elif hook.get("is_active") and (hook.get("headers") or {}) == headers:
            done[scope] = "unchanged"
        else:
            with reading(f"hook for {scope}"):
                hook_id = int(hook["id"])
            await api.repair_hook(hook_id, headers)
            done[scope] = "repaired"
    return done
