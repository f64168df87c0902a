"""A fleet of hosts that exist only in this process, for trying psops and for scale tests.

`hosts` says which hosts there are, `profile` which units they run, `bus` and `manager`
answer for them with the bytes a real bus would send.
"""

from psops.demo.hosts import fleet as fleet
