"""A page on a finished render: one HTML file that stands alone."""
