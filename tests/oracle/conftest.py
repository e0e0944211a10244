"""The oracle's scripts need mpmath and are run by hand: pytest leaves them alone."""

collect_ignore = ["make_values.py", "reference.py"]
