/**
 * An encoding that writes each character by itself: what it makes of a character (one code point). Digits, letters, `_`,
 * `-` and `.` stay as they are.
 */
export type Encoder = (character: string) => string;

const SPECIAL = /([^\w.-])/u;

/**
 * Makes the forms of texts by each of the encoders: each different form once, and not the text itself. In what way a
 * character is written is worked out once for all texts, and which ways are different once for those with the same ones.
 */
export function formsBy(encoders: readonly Encoder[]): (text: string) => readonly string[] {
  const codes = new Map<string, readonly string[]>();
  const codesOf = (character: string): readonly string[] => {
    let known = codes.get(character);
    if (known === undefined) codes.set(character, (known = encoders.map((encoder) => encoder(character))));
    return known;
  };
  const known = new Map<string, readonly (readonly string[])[]>();
  const waysOf = (characters: readonly string[]): readonly (readonly string[])[] => {
    const key = characters.join("");
    let ways = known.get(key);
    if (ways === undefined) {
      const codesOfAll = characters.map(codesOf);
      const all = encoders.map((_, number) => codesOfAll.map((ofOne) => ofOne[number] ?? ""));
      const different = new Map([characters, ...all].map((way) => [way.join("\n"), way]));
      known.set(key, (ways = Array.from(different.values()).slice(1)));
    }
    return ways;
  };
  return (text) => {
    // Nearly all tokens end here.
    if (!SPECIAL.test(text)) return [];
    // At odd places stand the special characters, and what is between them at the others.
    const parts = text.split(SPECIAL);
    const specials = parts.filter((_, index) => index % 2 === 1);
    const characters = [...new Set(specials)];
    const places = specials.map((character) => characters.indexOf(character));
    return waysOf(characters).map((way) => {
      let form = parts[0] ?? "";
      for (let index = 0; index < places.length; index++) {
        form += (way[places[index] ?? 0] ?? "") + (parts[2 * index + 2] ?? "");
      }
      return form;
    });
  };
}

/** What writes some characters in one way, and the others in another. */
export function either(some: RegExp, one: Encoder, other: Encoder): Encoder {
  return (character) => (some.test(character) ? one(character) : other(character));
}

export const same: Encoder = (character) => character;
