"""The command line: words become settings, progress becomes bars, errors become exit statuses."""
