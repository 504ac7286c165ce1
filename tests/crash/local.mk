# tests/crash/local.mk, included by tests/local.mk: what scripts/test-crash runs beside the gateway, made by
# `make crash-programs` alone.
crash_programs = tests/crash/holdings
EXTRA_PROGRAMS += $(crash_programs)
CLEANFILES += $(crash_programs)

tests_crash_holdings_SOURCES = tests/crash/holdings.c
tests_crash_holdings_LDADD = core/libcore.a $(KENTONGAN_LIBS)

EXTRA_DIST += \
	tests/crash/crash.conf.lua.in \
	tests/crash/load.py \
	tests/crash/oracle.py \
	tests/crash/plugins/ledger/ledger.lua \
	tests/crash/telco.py

crash-programs: $(crash_programs)
.PHONY: crash-programs
