/*
 * The decoders of masking/encodings/, one function for one: decoder.ts, backslash.ts and encodings.ts. What they read must be
 * the same, and test/masking/compiled.test.ts compares it.
 */

/* In place of a byte that has not come yet, and of one after the end of the stream. */
enum { MORE = -1, END = -2 };
/* The result of a decoder if more bytes decide; otherwise it is the number of readings. */
enum { UNDECIDED = -1 };
enum { LONGEST_ANSI = 64 };

enum decoder { BACKSLASH, PERCENT, FORM, QUOTES, XML };
/* The order of ENCODINGS. PLAIN is in none of the tables. */
enum encoding { LINE_ENDS, WRAPPED, JSON_1, JSON_2, JSON_3, SHELL, URL_1, URL_2, JSON_IN_URL, JSON_IN_FORM, XML_1, JSON_IN_XML, ENCODINGS, PLAIN };

static const struct {
  size_t count;
  enum decoder levels[3];
} levels_of[ENCODINGS] = {
  [JSON_1] = {1, {BACKSLASH}}, [JSON_2] = {2, {BACKSLASH, BACKSLASH}}, [JSON_3] = {3, {BACKSLASH, BACKSLASH, BACKSLASH}},
  [SHELL] = {1, {QUOTES}}, [URL_1] = {1, {FORM}}, [URL_2] = {2, {PERCENT, FORM}}, [JSON_IN_URL] = {2, {PERCENT, BACKSLASH}},
  [JSON_IN_FORM] = {2, {FORM, BACKSLASH}}, [XML_1] = {1, {XML}}, [JSON_IN_XML] = {2, {XML, BACKSLASH}}};

#define BIT(encoding) (1u << (encoding))
#define ALL_JSON (BIT(JSON_1) | BIT(JSON_2) | BIT(JSON_3) | BIT(JSON_IN_URL) | BIT(JSON_IN_FORM) | BIT(JSON_IN_XML))

/* The encodings in which a byte may begin an escape, as bits. */
static const uint16_t starts_of[256] = {
  ['\\'] = ALL_JSON | BIT(SHELL), ['$'] = ALL_JSON, ['\''] = BIT(SHELL), ['"'] = BIT(SHELL),
  ['%'] = BIT(URL_1) | BIT(URL_2) | BIT(JSON_IN_URL) | BIT(JSON_IN_FORM), ['+'] = BIT(URL_1) | BIT(URL_2) | BIT(JSON_IN_FORM),
  ['&'] = BIT(XML_1) | BIT(JSON_IN_XML), ['\r'] = BIT(LINE_ENDS) | BIT(WRAPPED), ['\n'] = BIT(WRAPPED)};

static int is_special(enum encoding encoding, uint8_t byte) {
  if (encoding == SHELL) return byte == '\'';
  return encoding != WRAPPED && (starts_of[byte] & BIT(encoding)) != 0;
}

/* One reading of an escape: its length, and the decoded bytes, or END. */
struct unit {
  uint32_t length;
  uint8_t is_shell;
  uint8_t count;
  int16_t bytes[48];
};

struct source {
  const uint8_t *bytes;
  size_t length;
  int is_end;
};

/* The text that a decoder reads: the source from an offset, or what the outer decoders make of it. */
struct text {
  const struct source *source;
  size_t offset;
  const enum decoder *outer;
  size_t outer_count;
  /* The decoded bytes so far, and for each the number of encoded bytes up to its end. */
  size_t read, size;
  int16_t bytes[128];
  uint32_t ends[128];
};

static int decode(const struct source *source, size_t offset, const enum decoder *levels, size_t count, struct unit units[2]);

static int raw(const struct source *source, size_t at) {
  return at < source->length ? source->bytes[at] : source->is_end ? END : MORE;
}

static int starts(enum decoder decoder, int byte) {
  switch (decoder) {
    case BACKSLASH: return byte == '\\' || byte == '$';
    case PERCENT: return byte == '%';
    case FORM: return byte == '%' || byte == '+';
    case QUOTES: return byte == '\'' || byte == '"' || byte == '\\';
    case XML: return byte == '&';
  }
  return 0;
}

static int starts_any(const enum decoder *levels, size_t count, int byte) {
  for (size_t i = 0; i < count; ++i) {
    if (starts(levels[i], byte)) return 1;
  }
  return 0;
}

static int peek(struct text *text, size_t index) {
  if (text->outer_count == 0) return raw(text->source, text->offset + index);
  while (text->size <= index) {
    const size_t at = text->offset + text->read;
    const int first = raw(text->source, at);
    struct unit units[2];
    int count = 0;
    if (starts_any(text->outer, text->outer_count, first)) count = decode(text->source, at, text->outer, text->outer_count, units);
    if (first == MORE || count == UNDECIDED) return MORE;
    if (count == 0) {
      units[0].length = units[0].count = 1;
      units[0].bytes[0] = (int16_t)first;
    }
    text->read += units[0].length;
    for (size_t i = 0; i < units[0].count && text->size < COUNT(text->bytes); ++i) {
      text->bytes[text->size] = units[0].bytes[i];
      text->ends[text->size++] = (uint32_t)text->read;
    }
    /* No escape is as long as this. */
    if (text->size == COUNT(text->bytes)) break;
  }
  return index < text->size ? text->bytes[index] : END;
}

/* Makes a reading of one byte. Returns the number of readings. */
static int single_byte(struct unit *unit, size_t length, int byte, int is_shell) {
  unit->length = (uint32_t)length;
  unit->is_shell = (uint8_t)is_shell;
  unit->count = 1;
  unit->bytes[0] = (int16_t)byte;
  return 1;
}

static int digit_of(int byte) { return byte < 0 ? -1 : hex_digit((uint8_t)byte); }

/* Encodes a code point; returns 0 if there is no such character. */
static int utf8(struct unit *unit, uint32_t code) {
  int16_t *const bytes = unit->bytes;
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  unit->count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (int i = unit->count - 1; i > 0; --i, code >>= 6) bytes[i] = (int16_t)(0x80 | (code & 0x3f));
  bytes[0] = (int16_t)(unit->count == 1 ? code : (0xf00u >> unit->count & 0xff) | code);
  return 1;
}

struct number {
  /* UNDECIDED, or 0 with fewer digits than the least number. */
  int state;
  uint32_t value;
  size_t count;
};

static struct number digits(struct text *text, size_t from, size_t least, size_t most, uint32_t base) {
  struct number number = {1, 0, 0};
  for (; number.count < most; ++number.count) {
    const int byte = peek(text, from + number.count), digit = digit_of(byte);
    if (byte == MORE) return (struct number){UNDECIDED, 0, 0};
    if (digit == -1 || (uint32_t)digit >= base) break;
    number.value = number.value * base + (uint32_t)digit;
  }
  number.state = number.count >= least;
  return number;
}

static int character_unit(struct unit units[2], struct number read, size_t around) {
  if (read.state != 1) return read.state;
  units[0].length = (uint32_t)(around + read.count);
  units[0].is_shell = 1;
  return utf8(&units[0], read.value);
}

static int utf16(struct text *text, size_t at, struct unit units[2]) {
  const struct number first = digits(text, at + 2, 4, 4, 16);
  if (first.state != 1) return first.state;
  units[0].is_shell = 0;
  units[0].length = 6;
  if (first.value < 0xd800 || first.value > 0xdfff) return utf8(&units[0], first.value);
  /* Python's name for a byte that is not UTF-8. */
  if (first.value >= 0xdc80 && first.value <= 0xdcff) return single_byte(&units[0], 6, first.value & 0xff, 0);
  for (size_t i = 0; i < 2; ++i) {
    const int next = peek(text, at + 6 + i);
    if (next == MORE) return UNDECIDED;
    if (next != "\\u"[i]) return 0;
  }
  const struct number second = digits(text, at + 8, 4, 4, 16);
  if (second.state == UNDECIDED) return UNDECIDED;
  if (second.state == 0 || second.value < 0xdc00 || second.value > 0xdfff) return 0;
  units[0].length = 12;
  return utf8(&units[0], 0x10000 + ((first.value - 0xd800) << 10) + (second.value - 0xdc00));
}

static int braced(struct text *text, size_t at, struct unit units[2]) {
  const struct number read = digits(text, at + 3, 1, 6, 16);
  if (read.state == UNDECIDED) return UNDECIDED;
  const int end = peek(text, at + 3 + (read.state == 1 ? read.count : 0));
  if (end == MORE) return UNDECIDED;
  return end == '}' ? character_unit(units, read, 4) : 0;
}

static int hexadecimal(struct text *text, size_t at, struct unit units[2]) {
  const struct number read = digits(text, at + 2, 1, 2, 16);
  if (read.state != 1) return read.state;
  single_byte(units, 2 + read.count, (int)read.value, 1);
  if (read.value < 0x80) return 1;
  units[1] = units[0];
  utf8(&units[1], read.value);
  return 2;
}

static int escape(struct text *text, size_t at, struct unit units[2]) {
  static const char letters[] = "b\bt\tn\nf\fr\ra\av\ve\x1b" "E\x1b";
  enum { JSON_LETTERS = 10 };
  const int next = peek(text, at + 1);
  if (next == MORE) return UNDECIDED;
  for (size_t i = 0; letters[i] != '\0'; i += 2) {
    if (letters[i] == next) return single_byte(units, 2, letters[i + 1], i >= JSON_LETTERS);
  }
  if (next == 'u') {
    return peek(text, at + 2) == '{' ? braced(text, at, units) : utf16(text, at, units);
  }
  if (next == 'U') return character_unit(units, digits(text, at + 2, 8, 8, 16), 2);
  if (next == 'x') return hexadecimal(text, at, units);
  if (next >= '0' && next <= '7') {
    const struct number read = digits(text, at + 1, 1, 3, 8);
    return read.state == UNDECIDED ? UNDECIDED : single_byte(units, 1 + read.count, (int)(read.value & 0xff), 1);
  }
  if ((next >= '0' && next <= '9') || ((next | 0x20) >= 'a' && (next | 0x20) <= 'z')) return 0;
  return single_byte(units, 2, next, next != '"' && next != '/' && next != '\\');
}

static int ansi_quoted(struct text *text, struct unit units[2]) {
  struct unit quoted = {.length = 0, .is_shell = 1, .count = 0}, inner[2];
  for (size_t i = 0; i < 2; ++i) {
    const int byte = peek(text, 1 + i);
    if (byte == MORE) return UNDECIDED;
    if (byte != "'\\"[i]) return single_byte(units, 1, '$', 0);
  }
  for (size_t at = 2; at < LONGEST_ANSI;) {
    const int byte = peek(text, at);
    if (byte == MORE) return UNDECIDED;
    if (byte == '\'') {
      quoted.length = (uint32_t)(at + 1);
      units[0] = quoted;
      single_byte(&units[1], 1, '$', 0);
      return 2;
    }
    if (byte != '\\') break;
    const int count = escape(text, at, inner);
    if (count == UNDECIDED) return UNDECIDED;
    if (count == 0 || quoted.count + inner[0].count > COUNT(quoted.bytes)) break;
    memcpy(quoted.bytes + quoted.count, inner[0].bytes, inner[0].count * sizeof *quoted.bytes);
    quoted.count = (uint8_t)(quoted.count + inner[0].count);
    at += inner[0].length;
  }
  return single_byte(units, 1, '$', 0);
}

static int percent(struct text *text, struct unit units[2]) {
  const int first = peek(text, 1);
  if (first == MORE) return UNDECIDED;
  const int high = digit_of(first);
  if (high == -1) return single_byte(units, 1, '%', 0);
  const int second = peek(text, 2);
  if (second == MORE) return UNDECIDED;
  const int low = digit_of(second);
  if (low == -1) return single_byte(units, 1, '%', 0);
  single_byte(units, 3, high * 16 + low, 0);
  single_byte(&units[1], 1, '%', 0);
  return 2;
}

static int quotes(struct text *text, struct unit units[2]) {
  const int byte = peek(text, 0), next = byte == '\\' ? peek(text, 1) : 0;
  if (next == MORE) return UNDECIDED;
  if (byte == '\\' && next != '\'') return single_byte(units, 1, byte, 0);
  single_byte(units, byte == '\\' ? 2 : 1, '\'', 1);
  if (byte != '\\') units[0].count = 0;
  single_byte(&units[1], 1, byte, 0);
  return 2;
}

/* Returns the value of the name of a reference, or UINT32_MAX. */
static uint32_t reference_code(const char *name, size_t length) {
  static const struct { const char *name; uint32_t code; } names[] = {
    {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  if (name[0] == '#') {
    const int is_hex = length > 1 && (name[1] | 0x20) == 'x';
    uint64_t code = 0;
    const size_t from = is_hex ? 2 : 1;
    if (length == from) return UINT32_MAX;
    for (size_t i = from; i < length; ++i) code = code * (is_hex ? 16 : 10) + (uint64_t)hex_digit((uint8_t)name[i]);
    return code > 0x10ffff ? UINT32_MAX : (uint32_t)code;
  }
  for (size_t i = 0; i < COUNT(names); ++i) {
    if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) return names[i].code;
  }
  return UINT32_MAX;
}

static int xml(struct text *text, struct unit units[2]) {
  char name[LONGEST_REFERENCE];
  for (size_t index = 1; index < LONGEST_REFERENCE; ++index) {
    const int byte = peek(text, index);
    const size_t length = index - 1;
    if (byte == MORE) return UNDECIDED;
    if (byte == ';') {
      units[0].length = (uint32_t)(index + 1);
      units[0].is_shell = 0;
      return length == 0 ? 0 : utf8(&units[0], reference_code(name, length));
    }
    const int is_hex = length > 1 && name[0] == '#' && (name[1] | 0x20) == 'x';
    const int may_follow =
      length == 0 ? byte == '#' || (byte >= 'a' && byte <= 'z')
      : name[0] != '#' ? byte >= 'a' && byte <= 'z'
      : is_hex ? digit_of(byte) != -1
      : (byte >= '0' && byte <= '9') || (length == 1 && (byte == 'x' || byte == 'X'));
    if (!may_follow) break;
    name[length] = (char)byte;
  }
  return single_byte(units, 1, '&', 0);
}

static int decode_by(enum decoder decoder, struct text *text, struct unit units[2]) {
  switch (decoder) {
    case BACKSLASH: return peek(text, 0) == '$' ? ansi_quoted(text, units) : escape(text, 0, units);
    case PERCENT: return percent(text, units);
    case QUOTES: return quotes(text, units);
    case XML: return xml(text, units);
    case FORM: break;
  }
  if (peek(text, 0) == '%') return percent(text, units);
  single_byte(units, 1, ' ', 0);
  single_byte(&units[1], 1, '+', 0);
  return 2;
}

/* Decodes the escape at `offset` by all levels, the outermost first. Returns the number of readings, or UNDECIDED. */
static int decode(const struct source *source, size_t offset, const enum decoder *levels, size_t count, struct unit units[2]) {
  struct text text;
  text.source = source;
  text.offset = offset;
  text.outer = levels;
  text.outer_count = count - 1;
  text.read = text.size = 0;
  if (count == 1) return decode_by(levels[0], &text, units);
  const int first = peek(&text, 0);
  if (first == MORE) return UNDECIDED;
  if (starts(levels[count - 1], first)) {
    const int readings = decode_by(levels[count - 1], &text, units);
    for (int i = 0; i < readings; ++i) units[i].length = text.ends[units[i].length - 1];
    return readings;
  }
  /* A character that is not ASCII has several bytes. */
  units[0].length = text.ends[0];
  units[0].is_shell = 0;
  units[0].count = 0;
  while (units[0].count < text.size && units[0].count < COUNT(units[0].bytes) && text.ends[units[0].count] == text.ends[0]) {
    units[0].bytes[units[0].count] = text.bytes[units[0].count];
    ++units[0].count;
  }
  return 1;
}
