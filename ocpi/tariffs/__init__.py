"""The tariffs of a CPO: what they must look like, and every write on them."""
