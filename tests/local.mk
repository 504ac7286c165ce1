# tests/local.mk - a Criterion program for each tests/unit/test_*.c, the seed inputs of each parser, and what scripts run.

# What several tests share.
AM_CPPFLAGS += -I$(top_srcdir)/tests/support
check_LIBRARIES += tests/support/libsupport.a
tests_support_libsupport_a_SOURCES = \
	tests/support/csv.c \
	tests/support/csv.h \
	tests/support/vectors.c \
	tests/support/vectors.h \
	tests/support/vectors_inbound.c \
	tests/support/vectors_outbound.c \
	tests/support/vectors_text.c \
	tests/support/vectors_text.h \
	tests/support/vectors_ussd.c

# Programs without LDADD of their own are unit tests, and their source has their name.
LDADD = tests/support/libsupport.a core/libcore.a $(CRITERION_LIBS) $(KENTONGAN_LIBS)
UNIT_TESTS = \
	tests/unit/test_admin \
	tests/unit/test_answer \
	tests/unit/test_base \
	tests/unit/test_clock \
	tests/unit/test_control \
	tests/unit/test_gsm7 \
	tests/unit/test_http \
	tests/unit/test_http_client \
	tests/unit/test_journal \
	tests/unit/test_keywords \
	tests/unit/test_log \
	tests/unit/test_metrics \
	tests/unit/test_msisdn \
	tests/unit/test_outbox \
	tests/unit/test_pack \
	tests/unit/test_parts \
	tests/unit/test_phone \
	tests/unit/test_phrases \
	tests/unit/test_plugin \
	tests/unit/test_plugin_documented \
	tests/unit/test_plugin_pattern \
	tests/unit/test_plugin_run \
	tests/unit/test_plugin_sandbox \
	tests/unit/test_plugin_tables \
	tests/unit/test_plugin_value \
	tests/unit/test_receipt \
	tests/unit/test_record \
	tests/unit/test_route \
	tests/unit/test_rows \
	tests/unit/test_screen \
	tests/unit/test_search \
	tests/unit/test_settings \
	tests/unit/test_spell \
	tests/unit/test_step \
	tests/unit/test_store_fault \
	tests/unit/test_store_sqlite \
	tests/unit/test_store_vfs \
	tests/unit/test_telco \
	tests/unit/test_timers \
	tests/unit/test_topic \
	tests/unit/test_utf8 \
	tests/unit/test_vectors \
	tests/unit/test_words \
	tests/unit/test_worker
# The outbox alone: store, telco and HTTP are fakes, linked instead of the real ones.
tests_unit_test_outbox_SOURCES = \
	tests/support/fake_store.c \
	tests/support/fake_store.h \
	tests/support/fake_telco.c \
	tests/support/fake_telco.h \
	tests/unit/test_outbox.c
# One suite for every backend of the store, and what is a backend's own.
tests_unit_test_store_sqlite_SOURCES = \
	tests/unit/store_suite.c \
	tests/unit/store_suite.h \
	tests/unit/test_store_sqlite.c
# The store on a disk that fails.
tests_unit_test_store_fault_SOURCES = \
	tests/support/fault_vfs.c \
	tests/support/fault_vfs.h \
	tests/unit/store_suite.c \
	tests/unit/store_suite.h \
	tests/unit/test_store_fault.c
tests_unit_test_store_vfs_SOURCES = \
	tests/support/fault_vfs.c \
	tests/support/fault_vfs.h \
	tests/unit/test_store_vfs.c
if HAVE_CRITERION
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
EXTRA_PROGRAMS += $(UNIT_TESTS)
check-local:
	@echo "Criterion is missing (Debian: libcriterion-dev): the unit tests were not run" >&2; exit 1
endif

# Without abort_on_error Criterion passes a test that AddressSanitizer saw leak.
AM_TESTS_ENVIRONMENT = \
	ASAN_OPTIONS=abort_on_error=1; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS; \
	KENTONGAN_SOURCE="$(abs_top_srcdir)"; export KENTONGAN_SOURCE; \
	TELCO_ADAPTERS="$(abs_top_srcdir)/plugins/telco"; export TELCO_ADAPTERS; \
	KENTONGAN_BUILD_DIR="$(abs_top_builddir)"; export KENTONGAN_BUILD_DIR;

# Each fuzz target is built in two forms: fuzz_X, which libFuzzer feeds (--enable-fuzz), and replay_X, which any compiler
# builds and `make check` runs over the inputs in tests/fuzz/corpus/X.
REPLAYS = \
	tests/fuzz/replay_answer \
	tests/fuzz/replay_gsm7 \
	tests/fuzz/replay_http_form \
	tests/fuzz/replay_http_request \
	tests/fuzz/replay_journal \
	tests/fuzz/replay_msisdn \
	tests/fuzz/replay_rows \
	tests/fuzz/replay_settings \
	tests/fuzz/replay_telco \
	tests/fuzz/replay_utf8 \
	tests/fuzz/replay_words
REPLAY_LIBS = core/libcore.a $(KENTONGAN_LIBS)
tests_fuzz_replay_answer_SOURCES = tests/fuzz/fuzz_answer.c tests/fuzz/replay.c
tests_fuzz_replay_answer_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_gsm7_SOURCES = tests/fuzz/fuzz_gsm7.c tests/fuzz/replay.c
tests_fuzz_replay_gsm7_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_http_form_SOURCES = tests/fuzz/fuzz_http_form.c tests/fuzz/replay.c
tests_fuzz_replay_http_form_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_http_request_SOURCES = tests/fuzz/fuzz_http_request.c tests/fuzz/replay.c
tests_fuzz_replay_http_request_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_journal_SOURCES = tests/fuzz/fuzz_journal.c tests/fuzz/replay.c
tests_fuzz_replay_journal_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_msisdn_SOURCES = tests/fuzz/fuzz_msisdn.c tests/fuzz/replay.c
tests_fuzz_replay_msisdn_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_rows_SOURCES = tests/fuzz/fuzz_rows.c tests/fuzz/replay.c
tests_fuzz_replay_rows_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_settings_SOURCES = tests/fuzz/fuzz_settings.c tests/fuzz/replay.c
tests_fuzz_replay_settings_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_telco_SOURCES = tests/fuzz/fuzz_telco.c tests/fuzz/replay.c
tests_fuzz_replay_telco_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_utf8_SOURCES = tests/fuzz/fuzz_utf8.c tests/fuzz/replay.c
tests_fuzz_replay_utf8_LDADD = $(REPLAY_LIBS)
tests_fuzz_replay_words_SOURCES = tests/fuzz/fuzz_words.c tests/fuzz/replay.c
tests_fuzz_replay_words_LDADD = $(REPLAY_LIBS)
check_PROGRAMS += $(REPLAYS)
TESTS += $(REPLAYS)

if FUZZ
noinst_PROGRAMS += \
	tests/fuzz/fuzz_answer \
	tests/fuzz/fuzz_gsm7 \
	tests/fuzz/fuzz_http_form \
	tests/fuzz/fuzz_http_request \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_msisdn \
	tests/fuzz/fuzz_rows \
	tests/fuzz/fuzz_settings \
	tests/fuzz/fuzz_telco \
	tests/fuzz/fuzz_utf8 \
	tests/fuzz/fuzz_words
tests_fuzz_fuzz_answer_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_gsm7_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_gsm7_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_http_form_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_http_form_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_http_request_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_http_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_journal_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_journal_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_msisdn_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_msisdn_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_rows_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_rows_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_settings_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_settings_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_telco_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_telco_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_utf8_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_utf8_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_words_LDADD = $(REPLAY_LIBS)
tests_fuzz_fuzz_words_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif

# scripts/test-hostile
EXTRA_PROGRAMS += tests/support/hostile
CLEANFILES += tests/support/hostile
tests_support_hostile_LDADD = core/libcore.a $(KENTONGAN_LIBS)

# scripts/test-vectors
EXTRA_PROGRAMS += tests/support/test-vectors
CLEANFILES += tests/support/test-vectors
tests_support_test_vectors_SOURCES = tests/support/vectors_main.c
tests_support_test_vectors_LDADD = tests/support/libsupport.a core/libcore.a $(KENTONGAN_LIBS)

# scripts/score-search
EXTRA_PROGRAMS += tests/support/score-search
CLEANFILES += tests/support/score-search
tests_support_score_search_SOURCES = tests/support/score_search.c
tests_support_score_search_LDADD = core/libcore.a $(KENTONGAN_LIBS)

# scripts/score-corpus
EXTRA_PROGRAMS += tests/support/score-corpus
CLEANFILES += tests/support/score-corpus
tests_support_score_corpus_SOURCES = tests/support/score_corpus.c
tests_support_score_corpus_LDADD = tests/support/libsupport.a core/libcore.a $(KENTONGAN_LIBS)

# Tools by hand: what an adapter's call costs; a server on core/http.c alone.
EXTRA_PROGRAMS += tests/bench/bench_telco tests/support/http-hostile-server
CLEANFILES += tests/bench/bench_telco tests/support/http-hostile-server
tests_bench_bench_telco_LDADD = core/libcore.a $(KENTONGAN_LIBS)
tests_support_http_hostile_server_SOURCES = tests/support/http_hostile.c
tests_support_http_hostile_server_LDADD = core/libcore.a $(KENTONGAN_LIBS)

# For tests/run: builds what make check needs, and stops at nothing with -k.
check-programs: $(check_LIBRARIES) $(check_PROGRAMS)
.PHONY: check-programs

include tests/bench/local.mk
include tests/crash/local.mk

EXTRA_DIST += \
	tests/check \
	tests/corpus \
	tests/fuzz/corpus \
	tests/dialogs \
	tests/run \
	tests/system \
	tests/vectors
