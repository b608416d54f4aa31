"""Events of the policies, and the listeners that get them."""
