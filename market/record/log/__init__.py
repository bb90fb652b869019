"""The core of the public log: Merkle tree, tiles, signed notes, checkpoints, proofs. Pure: bytes in, bytes out.

No database, no files, no clock. Formats are those of RFC 6962 and C2SP, so that independent clients check them: decision 12.
"""
