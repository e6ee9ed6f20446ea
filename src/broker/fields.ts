/** The fields of heads: names and values in turn, as Node.js has them in `rawHeaders`; pure. */

export type Headers = readonly string[];

/** Returns the names in a value of `Connection`, in lower case. */
export function optionsOf(connection: string): readonly string[] {
  const value = connection.toLowerCase();
  // Nearly always one. QuickJS compiles the expression of `split` at each call.
  return value === "keep-alive" || value === "close" ? [value] : value.split(/[\s,]+/);
}

/** Returns all values of a header. @param name in lower case */
export function valuesOf(rawHeaders: Headers, name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const written = rawHeaders[index];
    if (written?.length === name.length && written.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

/** Returns the headers but for those of a name. @param name in lower case */
export function without(headers: Headers, name: string): Headers {
  return headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== name);
}

/** Returns the head of a message, whose first line this is. */
export function headOf(line: string, headers: Headers): string {
  const fields = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [line, ...fields, "", ""].join("\r\n");
}
