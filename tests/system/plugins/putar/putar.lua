-- putar.lua - turns round for ever, in few and long instructions: only the limit of CPU time ends it.  For tests on the
-- running program.

local function turn()
  local one, other = ("x"):rep(500000), ("x"):rep(500000)
  local n = 0
  while one == other do
    n = n + 1
  end
end

return {
  name = "putar", api = 1, summary = "Never ends",
  triggers = { keywords = { PUTAR = "turn" } },
  dialogs = { turn = turn },
}
