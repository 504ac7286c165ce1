# core/local.mk - the program.  All but main.c is a library, so that each test links what it tests.
noinst_LIBRARIES += core/libcore.a
core_libcore_a_SOURCES = \
	core/admin.c \
	core/admin.h \
	core/answer.c \
	core/answer.h \
	core/answer_choice.c \
	core/answer_priv.h \
	core/answer_split.c \
	core/answer_table.c \
	core/base.c \
	core/base.h \
	core/chat.c \
	core/chat.h \
	core/citizen.c \
	core/citizen.h \
	core/clock.c \
	core/clock.h \
	core/control.c \
	core/control.h \
	core/control_link.c \
	core/control_priv.h \
	core/crash.c \
	core/crash.h \
	core/gateway.c \
	core/gateway.h \
	core/gsm7.c \
	core/gsm7.h \
	core/gsm7_table.c \
	core/gsm7_table.h \
	core/http.c \
	core/http.h \
	core/http_client.c \
	core/http_client.h \
	core/http_conn.c \
	core/http_form.c \
	core/http_head.c \
	core/http_head.h \
	core/http_priv.h \
	core/inbox.c \
	core/inbox.h \
	core/journal.c \
	core/journal.h \
	core/log.c \
	core/log.h \
	core/message.c \
	core/message.h \
	core/metrics.c \
	core/metrics.h \
	core/msisdn.c \
	core/msisdn.h \
	core/new.c \
	core/new.h \
	core/operate.c \
	core/operate.h \
	core/outbox.c \
	core/outbox.h \
	core/outbox_line.c \
	core/outbox_link.c \
	core/outbox_priv.h \
	core/outbox_report.c \
	core/outbox_send.c \
	core/outbox_write.c \
	core/pack.c \
	core/pack.h \
	core/parts.c \
	core/parts.h \
	core/phone.c \
	core/phone.h \
	core/phrases.c \
	core/phrases.h \
	core/plugin.c \
	core/plugin.h \
	core/plugin_api.c \
	core/plugin_api.h \
	core/plugin_api_citizen.c \
	core/plugin_api_records.c \
	core/plugin_bundle.c \
	core/plugin_bundle.h \
	core/plugin_keys.c \
	core/plugin_keys.h \
	core/plugin_manifest.c \
	core/plugin_manifest.h \
	core/plugin_pattern.c \
	core/plugin_pattern.h \
	core/plugin_run.c \
	core/plugin_run.h \
	core/plugin_sandbox.c \
	core/plugin_sandbox.h \
	core/plugin_sandbox_base.c \
	core/plugin_sandbox_lib.c \
	core/plugin_sandbox_pool.c \
	core/plugin_sandbox_pool.h \
	core/plugin_sandbox_priv.h \
	core/plugin_value.c \
	core/plugin_value.h \
	core/receipt.c \
	core/receipt.h \
	core/rehearsal.c \
	core/rehearsal.h \
	core/route.c \
	core/route.h \
	core/screen.c \
	core/screen.h \
	core/serve.c \
	core/serve.h \
	core/settings.c \
	core/settings.h \
	core/settings_file.c \
	core/settings_priv.h \
	core/settings_scan.c \
	core/settings_secret.c \
	core/skeletons.h \
	core/step.c \
	core/step.h \
	core/store.c \
	core/store.h \
	core/store_sqlite.c \
	core/store_sqlite_copy.c \
	core/store_sqlite_db.c \
	core/store_sqlite_find.c \
	core/store_sqlite_lock.c \
	core/store_sqlite_mover.c \
	core/store_sqlite_pack.c \
	core/store_sqlite_priv.h \
	core/store_sqlite_read.c \
	core/store_sqlite_retain.c \
	core/store_sqlite_schema.c \
	core/store_sqlite_vfs.c \
	core/store_sqlite_write.c \
	core/telco.c \
	core/telco.h \
	core/telco_host.c \
	core/telco_manifest.c \
	core/telco_priv.h \
	core/telco_time.c \
	core/telco_ussd.c \
	core/telco_values.c \
	core/telco_view.c \
	core/timers.c \
	core/timers.h \
	core/transcript.c \
	core/transcript.h \
	core/transcript_play.c \
	core/transcript_priv.h \
	core/transcript_read.c \
	core/transcript_record.c \
	core/transcript_record.h \
	core/transcript_text.c \
	core/turn.c \
	core/turn.h \
	core/turn_read.c \
	core/turn_run.c \
	core/turn_show.c \
	core/utf8.c \
	core/utf8.h \
	core/words.c \
	core/words.h \
	core/words_way.c \
	core/words_table.c \
	core/words_table.h \
	core/worker.c \
	core/worker.h \
	core/world.c \
	core/world.h
nodist_core_libcore_a_SOURCES = core/skeletons.c
core_libcore_a_CPPFLAGS = $(AM_CPPFLAGS) -DKENTONGAN_PLUGINS='"$(pkgdatadir)/plugins"'

bin_PROGRAMS += kentongan
kentongan_SOURCES = core/main.c
kentongan_LDADD = core/libcore.a $(KENTONGAN_LIBS) $(JEMALLOC_LIBS)

# What `kentongan new` writes is compiled in, so that it works wherever the program is.
SKELETONS = \
	contrib/skeletons/lookup/README.md \
	contrib/skeletons/lookup/plugin.dialog \
	contrib/skeletons/lookup/plugin.lua \
	contrib/skeletons/menu/README.md \
	contrib/skeletons/menu/plugin.dialog \
	contrib/skeletons/menu/plugin.lua \
	contrib/skeletons/survey/README.md \
	contrib/skeletons/survey/plugin.dialog \
	contrib/skeletons/survey/plugin.lua
EXTRA_DIST += contrib/skeletons/compile $(SKELETONS)
BUILT_SOURCES += core/skeletons.c
CLEANFILES += core/skeletons.c
core/skeletons.c: contrib/skeletons/compile $(SKELETONS)
	$(AM_V_GEN)(cd $(srcdir) && contrib/skeletons/compile $(SKELETONS)) >$@.new && mv $@.new $@
