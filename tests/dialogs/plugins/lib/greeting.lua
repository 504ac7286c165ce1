-- greeting.lua - what plugins share, as it was at first.
return { hello = "Salam lama" }
