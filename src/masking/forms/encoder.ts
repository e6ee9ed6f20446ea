/**
 * An encoding that writes each character by itself: what it makes of a character (one code point). Digits, letters, `_`,
 * `-` and `.` stay as they are.
 */
export type Encoder = (character: string) => string;

const SPECIAL = /([^\w.-])/u;

/**
 * Makes the forms of texts by each of the encoders: each different form once, and not the text itself. What becomes of a
 * character is worked out once for all texts.
 */
export function formsBy(encoders: readonly Encoder[]): (text: string) => readonly string[] {
  const codes = new Map<string, readonly string[]>();
  const codesOf = (character: string): readonly string[] => {
    let known = codes.get(character);
    if (known === undefined) codes.set(character, (known = encoders.map((encoder) => encoder(character))));
    return known;
  };
  return (text) => {
    // Nearly all tokens end here.
    if (!SPECIAL.test(text)) return [];
    // At odd places stand the special characters, and what is between them at the others.
    const parts = text.split(SPECIAL);
    const specials = parts.filter((_, index) => index % 2 === 1).map(codesOf);
    const different = [...new Set(specials)];
    const known = new Set([[...new Set(parts.filter((_, index) => index % 2 === 1))].join("\n")]);
    const forms: string[] = [];
    for (let number = 0; number < encoders.length; number++) {
      const key = different.map((all) => all[number]).join("\n");
      if (known.has(key)) continue;
      known.add(key);
      let form = parts[0] ?? "";
      for (let index = 0; index < specials.length; index++) {
        form += (specials[index]?.[number] ?? "") + (parts[2 * index + 2] ?? "");
      }
      forms.push(form);
    }
    return forms;
  };
}

/** What writes some characters in one way, and the others in another. */
export function either(some: RegExp, one: Encoder, other: Encoder): Encoder {
  return (character) => (some.test(character) ? one(character) : other(character));
}

export const same: Encoder = (character) => character;
