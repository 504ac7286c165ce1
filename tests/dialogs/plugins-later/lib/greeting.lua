-- greeting.lua - what plugins share, as it is afterwards.
return { hello = "Salam baru" }
