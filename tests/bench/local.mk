# tests/bench/local.mk, included by tests/local.mk: what scripts/bench runs, made by `make bench-programs` alone.
bench_programs = \
	tests/bench/bare_evhttp \
	tests/bench/bench_words \
	tests/bench/driver \
	tests/bench/fill \
	tests/bench/responder
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)

tests_bench_bare_evhttp_SOURCES = tests/bench/bare_evhttp.c tests/bench/server.c tests/bench/server.h
tests_bench_bare_evhttp_LDADD = $(EVENT_LIBS)

tests_bench_bench_words_SOURCES = tests/bench/bench_words.c tests/support/csv.c tests/support/csv.h
tests_bench_bench_words_LDADD = core/libcore.a $(KENTONGAN_LIBS)

tests_bench_driver_SOURCES = \
	tests/bench/citizens.c \
	tests/bench/citizens.h \
	tests/bench/driver.c \
	tests/bench/proc.c \
	tests/bench/proc.h \
	tests/bench/wire.c \
	tests/bench/wire.h
tests_bench_driver_LDADD = core/libcore.a $(EVENT_LIBS) $(JANSSON_LIBS)

tests_bench_fill_SOURCES = tests/bench/fill.c
tests_bench_fill_LDADD = core/libcore.a $(KENTONGAN_LIBS)

tests_bench_responder_SOURCES = tests/bench/responder.c tests/bench/server.c tests/bench/server.h
tests_bench_responder_LDADD = $(EVENT_LIBS)

EXTRA_DIST += \
	tests/bench/gateway.conf.lua.in \
	tests/bench/kannel/kannel.conf.in

bench-programs: $(bench_programs)
.PHONY: bench-programs
