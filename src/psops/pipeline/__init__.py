"""A pipeline over many organisations: its graph, its verification, and what explains what.

- `graph`: components and edges of one system of the catalogue, and who is upstream of whom.
- `draw`: the graph as a text tree, Mermaid, DOT and SVG.
- `ask`: all probes at once; `explain`: which findings follow from which; `report`: both as a
  `VerifyReport`, so that every format of `bundle verify` can show them.
- `lint`: what a description leaves unwatched.
"""
