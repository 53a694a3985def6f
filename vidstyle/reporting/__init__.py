"""The report on a finished render, one HTML file that stands alone, and what can be seen of renders under way."""
