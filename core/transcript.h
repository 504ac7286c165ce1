/* transcript.h - `kentongan test`: plays *.dialog files against the gateway, with a clock and a telco of its own.
 *
 * A file is lines "word: text" and stage directions "-- what happens"; a line that begins with a blank goes on with the text of the
 * one before; # begins a comment.
 *   citizen: SURVEI        an SMS; "citizen 2:" is another citizen, and so for all words below
 *   gateway: Terima kasih  the next SMS to her; "gateway: (nothing)": there is none
 *   -- by USSD *123*1#     she dials; from here on her "citizen:" lines are keys and "gateway:" the screens, until the session
 *                          is over, or  -- by SMS
 *   -- the call drops      the session ends
 *   -- 2 days pass         moves the clock (seconds, minutes, hours, days)
 *   -- restart             everything in memory is lost, as by a crash
 *   -- citizens Siti, Budi the first two have names: "Siti: SURVEI", "gateway to Budi: ...", "-- Siti by USSD *123#",
 *                          "-- the call of Siti drops".  "gateway:" alone is then to her who wrote last
 *   -- records survey.answers: 3            so many there are
 *   -- record survey.answers: rating = 1    one has these fields; a text with a comma in quotes
 *   -- what is in memory counts             from here on --restart-everywhere brings no restarts
 *   dial: *123*1#          begins a USSD session;  key: 2  goes on with it;  hang up:  ends it
 *   screen: ...            what it shows, and it goes on;  end: ...  it shows that and is over
 *   wait: 8 days, restart: as the directions
 *   plugins: FOLDER        the plugins, from where the file lies; again later: they are loaded anew, dialogs stay
 *   set: survey.rounding = largest    a plugin's setting, from here on; a text is taken as it stands
 * {name} in what is expected stands for any text, and for the same where it comes again; in what is sent it is that text.  All that is
 * said must be expected.
 */
#pragma once

int transcript_main(
	int argc,
	char **argv); /* argv[0] is "test"; gives the exit status: 0, 1 some failed, 2 wrong usage */
