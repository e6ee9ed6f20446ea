/** util.inspect and util.format, for messages of packages. Values are on one line, as in Node.js if they are short. */

const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
const DEPTH = 2;

export const inspect = Object.assign((value: unknown): string => textOf(value, []), { custom: CUSTOM });

function textOf(value: unknown, above: readonly object[]): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return value.name === "" ? "[Function (anonymous)]" : `[Function: ${value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (above.includes(value)) return "[Circular *1]";
  // Values that are secrets hide themselves by it.
  const custom: unknown = Reflect.get(value, CUSTOM);
  if (typeof custom === "function") return String(Reflect.apply(custom, value, [DEPTH - above.length, {}, inspect]));
  if (value instanceof Error) return value.stack?.includes(value.message) === true ? value.stack : String(value);
  if (value instanceof Date || value instanceof RegExp) return value instanceof Date ? value.toISOString() : String(value);
  return objectText(value, above);
}

function quoted(text: string): string {
  const quote = !text.includes("'") ? "'" : !text.includes('"') ? '"' : text.includes("`") ? "'" : "`";
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll(String.raw`\"`, '"');
  const controls = escaped
    .replaceAll(/\\u00(..)/g, (_, digits: string) => String.raw`\x${digits.toUpperCase()}`)
    .replaceAll(/[\u007F-\u009F]/g, (one) => String.raw`\x${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return quote + (quote === "'" ? controls.replaceAll("'", String.raw`\'`) : controls) + quote;
}

function objectText(value: object, above: readonly object[]): string {
  const isArray = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const name = typeof prototype === "object" && prototype !== null ? prototype.constructor.name : "[Object: null prototype]";
  if (above.length > DEPTH) return `[${name}]`;
  const parts = Object.entries(value).map(([key, one]) => {
    const text = textOf(one, [...above, value]);
    return isArray && /^\d+$/.test(key) ? text : `${/^[A-Za-z_]\w*$/.test(key) ? key : quoted(key)}: ${text}`;
  });
  const [begin, end] = isArray ? ["[", "]"] : [name === "Object" ? "{" : `${name} {`, "}"];
  return parts.length === 0 ? `${begin}${end}` : `${begin} ${parts.join(", ")} ${end}`;
}

/** Replaces %s, %d, %i, %f, %j, %o, %O, %c and %%; further values follow after a space. */
export function format(first?: unknown, ...values: unknown[]): string {
  if (typeof first !== "string") return [first, ...values].map(plain).join(" ");
  let next = 0;
  const text = first.replaceAll(/%[sdifjoOc%]/g, (directive) => {
    if (directive === "%%") return values.length === 0 ? "%%" : "%";
    return next < values.length ? formatted(directive, values[next++]) : directive;
  });
  return [text, ...values.slice(next).map(plain)].join(" ");
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

function formatted(directive: string, value: unknown): string {
  if (typeof value === "bigint" && /^%[sdi]$/.test(directive)) return inspect(value);
  switch (directive) {
    case "%s":
      return plain(value);
    case "%d":
      return inspect(typeof value === "symbol" ? Number.NaN : Number(value));
    case "%i":
      return inspect(Number.parseInt(plain(value), 10));
    case "%f":
      return inspect(Number.parseFloat(plain(value)));
    case "%j":
      return JSON.stringify(value) ?? "undefined";
    case "%c":
      return "";
    default:
      return inspect(value);
  }
}
