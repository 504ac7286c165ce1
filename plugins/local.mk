# plugins/local.mk - installed as they lie here, beneath $(pkgdatadir)/plugins.
nobase_dist_pkgdata_DATA += \
	plugins/README.md \
	plugins/survey/once.dialog \
	plugins/survey/rounding.dialog \
	plugins/survey/shares.dialog \
	plugins/survey/survey.dialog \
	plugins/survey/survey.lua \
	plugins/survey/ussd.dialog \
	plugins/telco/README.md \
	plugins/telco/africastalking.lua \
	plugins/telco/kannel.lua \
	plugins/telco/phone.lua
