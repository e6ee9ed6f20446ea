/*
 * Reads numbers as the kernel writes them, in place of strtoul(3). The headers of glibc 2.38 and later make a call of
 * strtoul call __isoc23_strtoul, which neither an earlier glibc nor musl has: an addon that was compiled there could be
 * loaded nowhere else.
 */
#ifndef NUMBER_H
#define NUMBER_H

/*
 * Reads a number of base 10 or 16 (in lower case) behind blanks, up to the first character that is not a digit. 0 without
 * digits.
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
