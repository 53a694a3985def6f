"""Single frames painted to be looked at, on a sheet or on a page, before anything is rendered."""
