-- Reads the wallets in turn: wrk -t1 -c16 -d10s -s reads.lua URL
local common = dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")

request = common.requests(function(path)
  return wrk.format("GET", path)
end)

done = common.report
