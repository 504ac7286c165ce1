# core/local.mk - the program.  All but main.c is a library, so that each test links what it tests.
noinst_LIBRARIES += core/libcore.a
core_libcore_a_SOURCES = \
	core/admin.c \
	core/admin.h \
	core/base.c \
	core/base.h \
	core/chat.c \
	core/chat.h \
	core/clock.c \
	core/clock.h \
	core/control.c \
	core/control.h \
	core/control_link.c \
	core/control_priv.h \
	core/crash.c \
	core/crash.h \
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
	core/log.c \
	core/log.h \
	core/message.c \
	core/message.h \
	core/metrics.c \
	core/metrics.h \
	core/msisdn.c \
	core/msisdn.h \
	core/outbox.c \
	core/outbox.h \
	core/outbox_line.c \
	core/outbox_link.c \
	core/outbox_priv.h \
	core/outbox_report.c \
	core/outbox_send.c \
	core/outbox_write.c \
	core/parts.c \
	core/parts.h \
	core/phone.c \
	core/phone.h \
	core/phrases.c \
	core/phrases.h \
	core/plugin_pattern.c \
	core/plugin_pattern.h \
	core/plugin_sandbox.c \
	core/plugin_sandbox.h \
	core/plugin_sandbox_base.c \
	core/plugin_sandbox_lib.c \
	core/plugin_sandbox_priv.h \
	core/plugin_value.c \
	core/plugin_value.h \
	core/receipt.c \
	core/receipt.h \
	core/screen.c \
	core/screen.h \
	core/settings.c \
	core/settings.h \
	core/settings_file.c \
	core/settings_priv.h \
	core/settings_scan.c \
	core/settings_secret.c \
	core/step.c \
	core/step.h \
	core/store.c \
	core/store.h \
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
	core/utf8.c \
	core/utf8.h \
	core/words.c \
	core/words.h \
	core/words_table.c \
	core/words_table.h
core_libcore_a_CPPFLAGS = $(AM_CPPFLAGS) -DKENTONGAN_PLUGINS='"$(pkgdatadir)/plugins"'

bin_PROGRAMS += kentongan
kentongan_SOURCES = core/main.c
kentongan_LDADD = core/libcore.a $(KENTONGAN_LIBS)
