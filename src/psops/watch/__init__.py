"""What `psops watch` is made of: what is known (`model`), where it comes from (`feed`), and how
it is shown, as lines (`lines`) or on a screen (`app`)."""
