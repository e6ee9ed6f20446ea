/*
 * The environment as getenv(3) finds it. Bun takes the last of two variables of one name, and an entry without "=" for an
 * empty variable; so it gets neither.
 */
#ifndef SOPHIA_RUN_VARIABLES_H
#define SOPHIA_RUN_VARIABLES_H

static size_t name_length(const char *entry) {
  size_t length = 0;
  while (entry[length] != '=' && entry[length] != '\0') ++length;
  return length;
}

static bool have_same_name(const char *one, const char *other) {
  for (; *one == *other; ++one, ++other) {
    if (*one == '=') return true;
  }
  return false;
}

/* FNV-1a. */
static size_t hash_of(const char *entry, size_t length) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < length; ++i) hash = (hash ^ (unsigned char)entry[i]) * 0x100000001b3;
  return (size_t)(hash ^ hash >> 32);
}

/*
 * Moves the variables that have a name, the first of each name, to the front, in their order. The kernel limits the
 * environment to a quarter of the stack, with eight bytes for each pointer; the table takes at most sixteen bytes of each.
 *
 * @returns how many they are
 */
static size_t keep_variables(char **entries, size_t count) {
  size_t size = 1;
  while (size < 2 * count) size *= 2;
  /* Of each the index in `entries` plus one; 0 is free. Open addressing. */
  uint32_t *const table = __builtin_alloca(size * sizeof *table);
  for (size_t i = 0; i < size; ++i) table[i] = 0;
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t length = name_length(entries[i]);
    if (length == 0 || entries[i][length] == '\0') continue;
    size_t at = hash_of(entries[i], length) & (size - 1);
    while (table[at] != 0 && !have_same_name(entries[table[at] - 1], entries[i])) at = (at + 1) & (size - 1);
    if (table[at] != 0) continue;
    entries[kept++] = entries[i];
    table[at] = (uint32_t)kept;
  }
  return kept;
}

#endif
