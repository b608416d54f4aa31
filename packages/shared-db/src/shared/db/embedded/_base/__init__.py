"""Running stores: what starts, watches and ends one."""
