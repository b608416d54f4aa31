"""How each kind of store is started."""
