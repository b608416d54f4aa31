"""What locks send: the scripts of Redis, each one step of the server, and the SQL for tokens."""

from __future__ import annotations

import hashlib

# The token rises even if the counter was lost: it is never below the server's clock in us.
ACQUIRE = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local now = redis.call('time')
  local token = math.max(now[1] * 1000000 + now[2], tonumber(redis.call('get', KEYS[2]) or '0') + 1)
  redis.call('set', KEYS[2], string.format('%.0f', token))
  return string.format('%.0f', token)
end
return false
"""
RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0
"""
RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""
NUMBERS = (
    "CREATE TABLE IF NOT EXISTS shared_db_locks (name text PRIMARY KEY, token bigint NOT NULL)"
)
NUMBERED = """
INSERT INTO shared_db_locks AS l VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET token = l.token + 1 RETURNING token
"""


def lock_key(name: str | int) -> int:
    """Return the 64 bits by which PostgreSQL knows a lock."""
    if isinstance(name, int):
        return name
    return int.from_bytes(
        hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True
    )
