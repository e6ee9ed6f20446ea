/** util.inspect and util.format, for what messages of bugs and packages print: as Node.js does, without options of layout. */

export interface InspectOptions {
  readonly depth?: number | null;
}

const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
/** Longer lists of properties are written on several lines. */
const [LINE_WIDTH, SHORT_WIDTH, SHORT_COUNT] = [80, 72, 6];

interface State {
  readonly depth: number;
  readonly above: readonly object[];
}

export const inspect = Object.assign(
  (value: unknown, options: InspectOptions = {}): string =>
    textOf(value, { depth: options.depth === null ? Infinity : (options.depth ?? 2), above: [] }),
  { custom: CUSTOM },
);

function textOf(value: unknown, state: State): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return value.toString();
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return functionText(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (state.above.includes(value)) return "[Circular *1]";
  const custom: unknown = Reflect.get(value, CUSTOM);
  if (typeof custom === "function") {
    const result: unknown = Reflect.apply(custom, value, [state.depth - state.above.length, {}, inspect]);
    return typeof result === "string" ? result : textOf(result, state);
  }
  const name = nameOf(value);
  if (state.above.length > state.depth)
    return Array.isArray(value) ? "[Array]" : `[${name === "" ? "Object: null prototype" : name}]`;
  return objectText(value, name, { depth: state.depth, above: [...state.above, value] });
}

function quoted(text: string): string {
  const quote = !text.includes("'") ? "'" : !text.includes('"') ? '"' : text.includes("`") ? "'" : "`";
  // oxlint-disable-next-line no-control-regex -- those are escaped
  const escaped = text.replaceAll(/[\\\u0000-\u001F\u007F-\u009F]/g, (one) => {
    const short = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\" }[one];
    return short ?? `\\x${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return quote + (quote === "'" ? escaped.replaceAll("'", String.raw`\'`) : escaped) + quote;
}

function functionText(value: { readonly name: string }): string {
  const isClass = Function.prototype.toString.call(value).startsWith("class");
  if (isClass) return `[class ${value.name === "" ? "(anonymous)" : value.name}]`;
  return value.name === "" ? "[Function (anonymous)]" : `[Function: ${value.name}]`;
}

function nameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === "object" && prototype !== null ? prototype.constructor.name : "";
}

function objectText(value: object, name: string, state: State): string {
  if (value instanceof Error) return errorText(value, state);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return "Promise {}";
  const properties = propertiesOf(value, state);
  if (Array.isArray(value)) return wrapped("[", [...value.map((one) => textOf(one, state)), ...properties], "]", state);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every view but a DataView is a list
    const numbers = Array.from(value as Uint8Array, String);
    return wrapped(`${name}(${numbers.length}) [`, numbers, "]", state);
  }
  if (value instanceof Set) {
    return wrapped(
      `Set(${value.size}) {`,
      [...Array.from(value, (one) => textOf(one, state)), ...properties],
      "}",
      state,
    );
  }
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, one]) => `${textOf(key, state)} => ${textOf(one, state)}`);
    return wrapped(`Map(${value.size}) {`, [...entries, ...properties], "}", state);
  }
  const prefix = name === "Object" ? "" : name === "" ? "[Object: null prototype] " : `${name} `;
  return wrapped(`${prefix}{`, properties, "}", state);
}

function propertiesOf(value: object, state: State): string[] {
  const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  return keys
    .filter((key) => !isList || !/^\d+$/.test(String(key)))
    .map((key) => {
      const property = Object.getOwnPropertyDescriptor(value, key);
      const name = typeof key === "symbol" ? `[${key.toString()}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
      if (property?.get !== undefined) return `${name}: ${property.set === undefined ? "[Getter]" : "[Getter/Setter]"}`;
      return `${name}: ${textOf(property?.value, state)}`;
    });
}

function errorText(error: Error, state: State): string {
  const head = error.message === "" ? error.name : `${error.name}: ${error.message}`;
  const { stack = "" } = error;
  // QuickJS's stack has no head.
  const lines = stack.startsWith(head) || stack === "" ? stack || head : `${head}\n${stack.trimEnd()}`;
  const properties = propertiesOf(error, state);
  const cause = "cause" in error ? [`[cause]: ${textOf(error.cause, state)}`] : [];
  const all = [...properties, ...cause];
  return all.length === 0 ? lines : `${lines} {\n  ${all.join(",\n  ")}\n}`;
}

/** Joins parts on one line if they are few and short. */
function wrapped(begin: string, parts: readonly string[], end: string, state: State): string {
  if (parts.length === 0) return `${begin}${end}`;
  const length = parts.reduce((sum, part) => sum + part.length + 2, begin.length);
  const isShort = length <= SHORT_WIDTH && parts.length <= SHORT_COUNT && !parts.some((part) => part.includes("\n"));
  if (isShort && length + 2 * state.above.length <= LINE_WIDTH) return `${begin} ${parts.join(", ")} ${end}`;
  const indent = "  ".repeat(state.above.length);
  return `${begin}\n${indent}${parts.join(`,\n${indent}`)}\n${indent.slice(2)}${end}`;
}

/** Like printf: %s, %d, %i, %f, %j, %o, %O, %c and %%; further values follow after a space. */
export function format(first?: unknown, ...values: unknown[]): string {
  if (typeof first !== "string")
    return [first, ...values]
      .filter((_, index) => index > 0 || first !== undefined || values.length > 0)
      .map(plain)
      .join(" ");
  let next = 0;
  const text = first.replaceAll(/%[sdifjoOc%]/g, (directive) => {
    if (directive === "%%") return values.length === 0 ? "%%" : "%";
    if (next >= values.length) return directive;
    return formatted(directive, values[next++]);
  });
  return [text, ...values.slice(next).map(plain)].join(" ");
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

function formatted(directive: string, value: unknown): string {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  switch (directive) {
    case "%s":
      if (isNumber) return inspect(value);
      return typeof value !== "object" || value === null ? String(value) : inspect(value, { depth: 0 });
    case "%d":
      if (typeof value === "bigint") return `${value}n`;
      return inspect(typeof value === "symbol" || typeof value === "object" ? Number.NaN : Number(value));
    case "%i":
      if (typeof value === "bigint") return `${value}n`;
      return inspect(typeof value === "symbol" ? Number.NaN : Number.parseInt(String(value), 10));
    case "%f":
      return inspect(typeof value === "symbol" ? Number.NaN : Number.parseFloat(String(value)));
    case "%j":
      return JSON.stringify(value) ?? "undefined";
    case "%c":
      return "";
    default:
      return inspect(value);
  }
}
