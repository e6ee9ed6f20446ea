/**
 * Looks up and changes header fields in the form that Node.js has in `rawHeaders`: alternately a name and its value, in the
 * client's spelling and order. The functions are pure.
 *
 *     ["Host", "127.0.0.1:40123", "Authorization", "Bearer TOKEN"]
 */

/** Header fields: alternately a name and its value. */
export type Headers = readonly string[];

/** One list for all look-ups without a result, which saves an allocation for most look-ups. */
const NO_VALUES: readonly string[] = [];

/** The header fields of one request, prepared for many look-ups. All names that callers pass are in lower case. */
export class HeaderFields {
  /** The fields as the client sent them. */
  readonly raw: Headers;
  readonly values: readonly string[];
  /** The names in lower case. The name at an index belongs to the value at the same index. */
  readonly names: readonly string[];

  constructor(rawHeaders: Headers) {
    this.raw = rawHeaders;
    const names: string[] = [];
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      names.push((rawHeaders[index] ?? "").toLowerCase());
      values.push(rawHeaders[index + 1] ?? "");
    }
    this.names = names;
    this.values = values;
  }

  /** Returns all values of a header. */
  valuesOf(name: string): readonly string[] {
    return this.has(name) ? this.values.filter((_, index) => this.names[index] === name) : NO_VALUES;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** Returns true if `Connection` names the header: it is for this connection alone, and not passed on (RFC 9110, 7.6.1). */
  isNamedByConnection(name: string): boolean {
    return this.valuesOf("connection").some((value) => parseConnectionOptions(value).includes(name));
  }
}

/** Returns the names in a value of `Connection`, in lower case. */
export function parseConnectionOptions(connection: string): readonly string[] {
  const value = connection.toLowerCase();
  // Nearly all requests have one of these two values, which need no `split`. QuickJS would compile its expression at each call.
  return value === "keep-alive" || value === "close" ? [value] : value.split(/[\s,]+/);
}

/** Returns all values of a header. @param name in lower case */
export function valuesOf(rawHeaders: Headers, name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const writtenName = rawHeaders[index];
    // Comparing the lengths first saves most of the conversions to lower case.
    if (writtenName?.length === name.length && writtenName.toLowerCase() === name)
      values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

/** Returns the headers except those of one name. @param name in lower case */
export function withoutHeader(headers: Headers, name: string): Headers {
  return headers.filter((_, index) => {
    const nameIndex = index - (index % 2);
    return headers[nameIndex]?.toLowerCase() !== name;
  });
}

/** Returns the head of a message as it is sent: the first line, the headers, and an empty line. */
export function formatHead(firstLine: string, headers: Headers): string {
  const fields = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [firstLine, ...fields, "", ""].join("\r\n");
}
