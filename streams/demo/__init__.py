"""A day of commerce on one machine: sandboxes, workers and a page to watch, played and judged."""
