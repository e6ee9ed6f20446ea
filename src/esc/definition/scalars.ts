/** Values and names as a definition writes them; pure. */

/** Names that readers of YAML take for something else than a string. */
const SPECIAL = /^(?:true|false|null|y|n|yes|no|on|off)$/i;
/** Characters that YAML does not allow in a text, or takes for line breaks, and that JSON does not escape. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/** A string in double quotes, as YAML and JSON read it, on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The key of a mapping. */
export function keyText(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !SPECIAL.test(name) ? name : quoted(name);
}

/**
 * A string that ESC takes as it stands: outside of `fn::secret`, it replaces `${path}` by what is there, and `$$` stands
 * for `$`. A `$` by itself is one. The argument of `fn::secret` is a literal, in which nothing is replaced.
 */
export function withoutReferences(text: string): string {
  return text.replaceAll(/\$+(\{?)/g, (run, brace: string) => {
    const dollars = run.slice(0, run.length - brace.length);
    return dollars.length === 1 && brace === "" ? run : dollars + dollars + brace;
  });
}
