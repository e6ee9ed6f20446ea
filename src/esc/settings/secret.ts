/** A string that must not be seen, such as a token. Printing, inspecting or serializing it shows `***`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

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

/** Returns true for a string that contains an access token, or is an ID token: no message may show it. */
export function holdsToken(text: string): boolean {
  return /(?:^|[^a-z])pul-[0-9a-f]{32,}/.test(text) || /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text.trim());
}

/** Returns true for printable ASCII without spaces: an HTTP header takes no more. */
export function isToken(text: string): boolean {
  return /^[\u0021-\u007E]+$/.test(text);
}
