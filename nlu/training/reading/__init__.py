"""How the reader is trained: what it learns from, the network, the fitting and the file that ships."""
