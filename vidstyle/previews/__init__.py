"""Single frames painted to be looked at, of which nothing is kept."""
