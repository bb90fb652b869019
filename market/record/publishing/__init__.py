"""The log over the public entries: giving them places, signing, keeping what was signed, and reading what is served.

`sequencer` writes, `shelf` keeps a second memory of what was signed on disk, `served` reads for everybody.
"""
