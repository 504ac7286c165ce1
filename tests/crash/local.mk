# tests/crash/local.mk, included by tests/local.mk: what scripts/test-crash runs beside the gateway, made by
# `make crash-programs` alone.
CRASH_PROGRAMS = tests/crash/holdings
EXTRA_PROGRAMS += $(CRASH_PROGRAMS)
CLEANFILES += $(CRASH_PROGRAMS)

tests_crash_holdings_SOURCES = tests/crash/holdings.c
tests_crash_holdings_LDADD = core/libcore.a $(KENTONGAN_LIBS)

EXTRA_DIST += \
	tests/crash/crash.conf.lua.in \
	tests/crash/load.py \
	tests/crash/oracle.py \
	tests/crash/plugins/ledger/ledger.lua \
	tests/crash/telco.py

crash-programs: $(CRASH_PROGRAMS)
.PHONY: crash-programs
