"""Everything that makes one machine enough: a broker, a schema registry and child processes that never outlive us.

Needs Linux or macOS, for their process groups and file locks.
"""
