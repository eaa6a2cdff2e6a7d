"""The JSON API of the mini-program and the H5 pages, with its OpenAPI document."""
