/** A string that must not be seen, such as a token. Printing, inspecting or serializing the object shows `***`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the string itself. The result must not get into a message, a log or an error. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}

/** Returns true for a text that contains an access token (`pul-…`) or is an ID token (JWT): no message may show it. */
export function holdsToken(text: string): boolean {
  return /(?:^|[^a-z])pul-[0-9a-f]{32,}/.test(text) || /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text.trim());
}

/** Returns true for printable ASCII without spaces, which is all that an HTTP header can carry. */
export function isToken(text: string): boolean {
  return /^[\u0021-\u007E]+$/.test(text);
}
