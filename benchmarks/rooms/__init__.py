"""Video rooms under load: what a room costs the server, how late pictures are, what lost packets do."""
