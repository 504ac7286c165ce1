/* vectors_text.h - runs the test vectors of the codecs: alphabet, substitution, segments, packing,
 * phone numbers.
 *
 * Each file's format stands in the README.md beside the vectors (tests/vectors/README.md).
 */
#pragma once
#include "base.h"

struct tally;

/* Runs gsm0338.csv, smart-encoding.csv, segments.json, segments.csv, packing.json and e164.csv,
 * those that are in folder. Prints a line a failure: file, row, what was expected and what came.
 * Gives the vectors that passed; *failed the others. */
unsigned vectors_text_run(const char *folder, unsigned *failed);

void run_text_vectors(struct tally *tally); /* the same, counted with the adapters' */
