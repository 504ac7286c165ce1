/* transcript.h - `kentongan test`: plays *.dialog files against the gateway, with a clock and a telco of its own.
 *
 * A file is lines "word: text"; a line that begins with a blank goes on with the text of the one before; # begins a comment.
 *   citizen: SURVEI        an SMS; "citizen 2:" is another citizen, and so for all words below
 *   gateway: Terima kasih  the next SMS to her; "gateway: (nothing)": there is none
 *   dial: *123*1#          begins a USSD session;  key: 2  goes on with it;  hang up:  ends it
 *   screen: ...            what it shows, and it goes on;  end: ...  it shows that and is over
 *   wait: 8 days           moves the clock (seconds, minutes, hours, days)
 *   restart:               everything in memory is lost, as by a crash
 *   plugins: FOLDER        the plugins, from where the file lies; again later: they are loaded anew, dialogs stay
 *   set: survey.rounding = largest    a plugin's setting, from here on; a text is taken as it stands
 * {name} in what is expected stands for any text; in what is sent later it is that text.  All that is said must be expected.
 */
#pragma once

int transcript_main(
	int argc,
	char **argv); /* argv[0] is "test"; gives the exit status: 0, 1 some failed, 2 wrong usage */
