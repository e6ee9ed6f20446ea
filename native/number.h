/*
 * Reads numbers, for the addons and the monitor, in place of strtoul(3). With the headers of glibc 2.38 and later, a call
 * of strtoul becomes one of __isoc23_strtoul. Neither an earlier glibc nor musl has that function, so they could not load
 * an addon that was compiled with these headers.
 */
#ifndef NUMBER_H
#define NUMBER_H

/*
 * Reads the number at the start of a text, after leading blanks, up to the first character that is not a digit. The base is 10, or
 * 16 with digits in lower case. Returns 0 if there is no digit.
 */
static unsigned long long number_in(const char *text, unsigned base) {
  unsigned long long number = 0;
  while (*text == ' ' || *text == '\t') ++text;
  for (;; ++text) {
    unsigned digit = base;
    if (*text >= '0' && *text <= '9') digit = (unsigned)(*text - '0');
    else if (*text >= 'a' && *text <= 'f') digit = (unsigned)(*text - 'a') + 10;
    if (digit >= base) return number;
    number = number * base + digit;
  }
}

#endif
