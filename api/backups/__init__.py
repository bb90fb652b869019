"""Backup and restore: the database in one sealed file, the keys of persons in another, and the proof that what came back is whole."""
