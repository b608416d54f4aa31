"""The decisions of a shared circuit breaker: each is one atomic script on the server's clock."""

# KEYS: a hash with the state, a sorted set of probes under way (by when their lease ends),
# and the window's counts. All times are microseconds of the server's clock.
COMMON = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function get(field, default) return redis.call('HGET', KEYS[1], field) or default end
local function enter(state, keep)
  redis.call('HSET', KEYS[1], 'state', state, 'failures', 0, 'successes', 0)
  redis.call('HINCRBY', KEYS[1], 'generation', 1)
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('PEXPIRE', KEYS[1], keep)
end
local state = get('state', 'closed')
"""
# -> admitted, state, generation, failures in a row, microseconds until a probe may go
ADMIT = (
    COMMON
    + """
local most, lease, probe, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local left = 0
local old = state
if state == 'open' then
  left = tonumber(get('until', 0)) - now
  if left <= 0 then
    enter('half_open', keep)
    state, left = 'half_open', 0
  end
end
local admitted = 0
if state == 'closed' then
  admitted = 1
elseif state == 'half_open' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
  if redis.call('ZCARD', KEYS[2]) < most then
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + lease), probe)
    redis.call('PEXPIRE', KEYS[2], math.ceil(lease / 1000))
    redis.call('PEXPIRE', KEYS[1], keep)
    admitted = 1
  end
end
return {admitted, state, tonumber(get('generation', 0)), tonumber(get('failures', 0)), left, old}
"""
)
# outcome: 1 failed, 0 went well, -1 does not count -> the state before and after
RECORD = (
    COMMON
    + """
local generation, outcome, probe = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local threshold, timeout, needed, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local window, size, rate, minimum = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
if tonumber(get('generation', 0)) ~= generation then return {state, state} end
local function open()
  enter('open', keep)
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + timeout))
  return 'open'
end
local function judge(calls, failures)
  if calls >= minimum and failures >= rate * calls then return open() end
  return state
end
local after = state
if state == 'half_open' then
  redis.call('ZREM', KEYS[2], probe)
  if outcome == 1 then
    after = open()
  elseif outcome == 0 and redis.call('HINCRBY', KEYS[1], 'successes', 1) >= needed then
    enter('closed', keep)
    after = 'closed'
  end
elseif state == 'closed' and outcome >= 0 then
  if window == 'none' then
    if outcome == 0 then
      redis.call('HSET', KEYS[1], 'failures', 0)
    elseif redis.call('HINCRBY', KEYS[1], 'failures', 1) >= threshold then
      after = open()
    end
    redis.call('PEXPIRE', KEYS[1], keep)
  elseif window == 'count' then
    redis.call('LPUSH', KEYS[3], outcome)
    redis.call('LTRIM', KEYS[3], 0, size - 1)
    redis.call('PEXPIRE', KEYS[3], keep)
    local calls = redis.call('LLEN', KEYS[3])
    if outcome == 1 or calls == minimum then
      local failures = 0
      for _, one in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do failures = failures + one end
      after = judge(calls, failures)
    end
  else
    local width = size / 100
    local bucket = math.floor(now / width)
    redis.call('HINCRBY', KEYS[3], string.format('%.0f:%d', bucket, outcome), 1)
    redis.call('PEXPIRE', KEYS[3], math.ceil(size / 1000) + 1)
    local calls, failures = 0, 0
    local all = redis.call('HGETALL', KEYS[3])
    for i = 1, #all, 2 do
      local from, kind = string.match(all[i], '(%d+):(%d)')
      if tonumber(from) + 100 < bucket then
        redis.call('HDEL', KEYS[3], all[i])
      else
        calls = calls + all[i + 1]
        if kind == '1' then failures = failures + all[i + 1] end
      end
    end
    after = judge(calls, failures)
  end
end
return {state, after}
"""
)
