import { printable } from "../../core/text.ts";
import type { Secret } from "../auth/secret.ts";

const MAX_LENGTH = 300;

/**
 * Makes text of a server fit to be shown: what is secret is masked, control characters are escaped, and it is cut to
 * 300 characters.
 */
export class Cleaner {
  readonly #secrets: string[] = [];

  /** Masks a secret from now on, in its plain form and as URLs and Basic credentials carry it. */
  hide(secret: Secret): void {
    const text = secret.reveal();
    if (text === "") return;
    this.#secrets.push(text, encodeURIComponent(text), Buffer.from(text).toString("base64"));
    // The longest first: else a short one that is part of it would leave the rest to be seen.
    this.#secrets.sort((a, b) => b.length - a.length);
  }

  clean(text: string): string {
    let masked = text;
    // In either case: hosts come in lower case, and the escapes of URLs in both.
    for (const secret of this.#secrets) masked = masked.replaceAll(new RegExp(literally(secret), "gi"), "***");
    const line = printable(masked.trim());
    return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
  }
}

/** A pattern that matches this text and no other. */
function literally(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`);
}
