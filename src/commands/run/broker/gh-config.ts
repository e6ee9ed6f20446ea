/** gh's configuration in a form of YAML that is not edited line by line, such as `{editor: vim}`; pure. */
import { isMap, parseDocument } from "yaml";

/** Returns the configuration with this value, comments kept; undefined if it is not one mapping. */
export function withSetting(config: string, name: string, value: string): string | undefined {
  // The parser's own search for keys that occur twice compares each with all others.
  const document = parseDocument(config, { logLevel: "silent", uniqueKeys: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  while (document.delete(name));
  document.set(name, value);
  return document.toString({ lineWidth: 0 });
}
