"""The cases, one idea per file; each file's `CASES` is what bench.py measures."""
