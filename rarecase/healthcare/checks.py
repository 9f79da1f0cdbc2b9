from __future__ import annotations
def checks(connection, spec):
    return []
