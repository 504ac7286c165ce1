-- must: give one bounded error line
-- outcome: refused
error(('x\n'):rep(100000))
