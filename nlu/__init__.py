"""Chinese patient language in, structure out. Pure: no database, no network except a provider that is a server."""
