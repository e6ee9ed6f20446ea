import { printable } from "../../core/text.ts";
import type { Secret } from "../settings/secret.ts";

const MAX_LENGTH = 300;

/** Makes a string of a server fit to be shown: secrets masked, control characters escaped, cut to 300 characters. */
export class Cleaner {
  readonly #secrets: string[] = [];

  /** Masks a secret from now on, in its plain form and as URLs and Basic credentials carry it. @returns the secret */
  hide(secret: Secret): Secret {
    const text = secret.reveal();
    if (text === "") return secret;
    this.#secrets.push(text, encodeURIComponent(text), Buffer.from(text).toString("base64"));
    // The longest first: else a short one that is part of it would leave the rest visible.
    this.#secrets.sort((a, b) => b.length - a.length);
    return secret;
  }

  clean(text: string): string {
    let masked = text;
    // Whatever the case: hosts come in lower case, and the escapes of URLs in both.
    for (const secret of this.#secrets) {
      const pattern = secret.replaceAll(/[^\w]/g, String.raw`\$&`);
      masked = masked.replaceAll(new RegExp(pattern, "gi"), "***");
    }
    const line = printable(masked.trim());
    return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
  }
}
