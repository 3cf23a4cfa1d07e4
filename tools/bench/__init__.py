"""How fast krmfn is and how much memory it takes, against programs that everybody has: ``python -m tools.bench``.

Every figure that matters is a ratio of two processes that took turns in one run, since machines differ and drift.
"""
