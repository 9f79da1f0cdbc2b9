"""Where a data set goes: a directory of files, or a database."""
