"""A local page: see a look before it is rendered, and watch it while it renders.

It does nothing that a notebook could not do: it imports the public names of `vidstyle` and nothing else of it.
"""
