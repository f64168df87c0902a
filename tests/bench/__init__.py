"""The benchmark: psops beside the tools it competes with, on the lab's hosts."""
