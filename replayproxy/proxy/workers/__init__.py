"""Several processes that share a data port: workers that serve it, and a supervisor that keeps the sessions.

Rules:
1. The supervisor opens, records, resets and closes sessions and never serves a request; a worker serves them and asks.
2. What both count stands in shared memory; all else that one knows and the other needs goes over a channel of theirs.
3. A worker may die at any moment: nobody waits for it for ever, and what it counted and saved stays.
"""
