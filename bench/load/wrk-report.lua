-- wrk's own figures, whole and exact, as one line of JSON: its usual report rounds the bytes, and knows four percentiles.
-- latencies: value in microseconds, count, value, count ... Where an answer took much longer than usual, wrk has added what those
-- requests would have waited that it could not send meanwhile.
done = function(summary, latency, requests)
  local e = summary.errors
  local pairs = {}
  for i = 1, #latency do
    local value, count = latency(i)
    pairs[#pairs + 1] = string.format("%d,%d", value, count)
  end
  io.write(string.format(
    '{"microseconds":%d,"requests":%d,"bytes":%d,"errors":%d,"latencies":[%s]}\n',
    summary.duration, summary.requests, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    table.concat(pairs, ",")))
end
