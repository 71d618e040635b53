-- Buys with all wallets in turn, then sells with all, and so on: wrk -t1 -c16 -d10s -s trades.lua URL
local common = dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local headers = { ["Content-Type"] = "application/json" }

request = common.requests(function(path, round)
  local side = round % 2 == 1 and "buy" or "sell"
  return wrk.format("POST", path .. "/trades", headers, '{"side":"' .. side .. '","coins":"0.01"}')
end)

done = common.report
