"""Auditing the public record from what is served: every hash, then a replay of all entries. Pure: a function `path -> bytes` in, findings out.

No database, no network, no clock. The same functions run at the auditor's desk, in the tests and nightly.
"""
