/**
 * Header fields as Node.js has them in `rawHeaders`: names and values in turn, in the client's spelling and order; pure.
 *
 *     ["Host", "127.0.0.1:40123", "Authorization", "Bearer TOKEN"]
 */

export type Headers = readonly string[];

const NO_VALUES: readonly string[] = [];

/** The header fields of one request, prepared for many look-ups. All names that callers pass are in lower case. */
export class HeaderFields {
  /** Names and values in turn, as the client sent them. */
  readonly raw: Headers;
  readonly values: readonly string[];
  /** In lower case; the name at an index belongs to the value at the same index. */
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
  isDropped(name: string): boolean {
    return this.valuesOf("connection").some((value) => optionsOf(value).includes(name));
  }
}

/** Returns the names in a value of `Connection`, in lower case. */
export function optionsOf(connection: string): readonly string[] {
  const value = connection.toLowerCase();
  // Fast path: nearly all requests have one of these two. QuickJS compiles the expression of `split` at each call.
  return value === "keep-alive" || value === "close" ? [value] : value.split(/[\s,]+/);
}

/** Returns all values of a header. @param name in lower case */
export function valuesOf(rawHeaders: Headers, name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const written = rawHeaders[index];
    // Comparing the lengths first saves most of the conversions to lower case.
    if (written?.length === name.length && written.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

/** Returns the headers except those of one name. @param name in lower case */
export function without(headers: Headers, name: string): Headers {
  return headers.filter((_, index) => {
    const nameIndex = index - (index % 2);
    return headers[nameIndex]?.toLowerCase() !== name;
  });
}

/** Returns the head of a message as it is sent: the first line, the headers, and an empty line. */
export function headOf(firstLine: string, headers: Headers): string {
  const fields = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [firstLine, ...fields, "", ""].join("\r\n");
}
