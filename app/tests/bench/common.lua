-- What the benchmarks share: run them with far fewer connections than there are wallets, so that a
-- wallet's requests do not overtake each other.
local common = { wallets = 400 }

-- wrk throws away the first request that it makes: that one is before the first round.
local count = -2

-- The path of the next wallet, and how many full rounds were made over all of them before.
local function next_wallet()
  count = count + 1
  return "/api/wallets/bench-" .. count % common.wallets, math.floor(count / common.wallets)
end

-- wrk's `request`: creates the wallets in the first round, then asks what `make(path, round)` returns.
function common.requests(make)
  return function()
    local path, round = next_wallet()
    if round <= 0 then
      return wrk.format("PUT", path)
    end
    return make(path, round)
  end
end

-- wrk's `done`: one line with the figures.
function common.report(summary, latency)
  local errors = summary.errors
  io.write(string.format("requests/s %.0f  p50 %.2f ms  p99 %.2f ms  max %.2f ms  failed %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

return common
