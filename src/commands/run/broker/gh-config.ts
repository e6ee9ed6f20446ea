/**
 * Changes a setting of gh's configuration with a parser of YAML, for files that `gh-socket.ts` cannot edit line by line, such as
 * `{editor: vim}`.
 */
import { isMap, parseDocument } from "yaml";

/** Returns the configuration with this setting, and with its comments; undefined if it is not one mapping. */
export function changeSetting(config: string, name: string, value: string): string | undefined {
  // The parser's own search for duplicate keys takes quadratic time, so it is turned off. The loop deletes each duplicate.
  const document = parseDocument(config, { logLevel: "silent", uniqueKeys: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  while (document.delete(name));
  document.set(name, value);
  return document.toString({ lineWidth: 0 });
}
