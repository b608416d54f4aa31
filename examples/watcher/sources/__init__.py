"""Where points come from: this machine, price bars, a mock cloud, a file of the user's."""
