"""What `psops panda` needs beside the library `psops.panda`.

- `place`: configurations here or on another host, by the words `PATH` and `HOST:PATH`.
- `show`, `differ`: effective lists and their differences as text or JSON.
- `given`: the daemons that are to be merged, from JSON.
"""
