"""Objects as files of one folder.

+folder/=name        an object: its content, its metadata, and a tail of fixed length
.shared/long/HASH    one whose key is too long for a path; the key is in its metadata
.shared/writing/RANDOM/  what one store of one process is writing; its lock says whether it lives
.shared/locks/       of keys, and of what is written
"""
