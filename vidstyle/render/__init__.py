"""One render: what was asked for, its plan, carrying it out, and what it would take."""
