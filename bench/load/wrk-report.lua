-- wrk's own figures, whole and exact, as one line of JSON: its usual report rounds the bytes and knows four percentiles.
-- "latencies" is value in microseconds, count, value, count ...; one count for each answer.
--
-- wrk has added made-up values by then: for each answer that took more than twice as long as usual, those that "would have been"
-- measured meanwhile (stats_correct in its src/stats.c). They are taken out again: an open loop measures what these guess.

-- Takes what came of each value off the smaller ones, from the largest down: by then its count is what was really measured.
local function take_out_guesses(values, counts, usual)
  for i = #values, 1, -1 do
    local value = values[i]
    if value < 2 * usual then return end
    local smaller = value - usual
    while smaller > usual do
      counts[smaller] = (counts[smaller] or 0) - counts[value]
      smaller = smaller - usual
    end
  end
end

-- Four digits are more than the histogram on the other side keeps, and one line must not become a megabyte.
local function rounded(value)
  local unit = 1
  while value >= 10000 * unit do unit = unit * 10 end
  return value - value % unit
end

done = function(summary, latency, requests)
  local e = summary.errors
  local values, counts, total = {}, {}, 0
  for i = 1, #latency do
    local value, count = latency(i)
    values[i], counts[value], total = value, count, total + count
  end
  local connections = tonumber(os.getenv("WRK_CONNECTIONS"))
  local each = math.floor(summary.requests / connections)
  if total > summary.requests and each > 0 then
    take_out_guesses(values, counts, math.floor(summary.duration / each))
  end
  local pairs = {}
  for _, value in ipairs(values) do
    if counts[value] ~= 0 then pairs[#pairs + 1] = string.format("%d,%d", rounded(value), counts[value]) end
  end
  io.write(string.format(
    '{"microseconds":%d,"requests":%d,"bytes":%d,"errors":%d,"latencies":[%s]}\n',
    summary.duration, summary.requests, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    table.concat(pairs, ",")))
end
