-- words.lua - a part of evolve.
return { second = "Bagian baru: di mana?" }
