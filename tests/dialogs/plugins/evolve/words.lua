-- words.lua - a part of evolve.
return { second = "Bagian lama: di mana?" }
