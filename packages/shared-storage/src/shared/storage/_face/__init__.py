"""The one face of all stores: what they share, and the asynchronous half, written once."""
