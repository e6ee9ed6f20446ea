// Runs the calls in a JSON file, and prints each result on a line. Node.js and the executable's runtime both run this script.
const { closeSync, fstatSync, openSync, readFileSync, writeSync } = require("node:fs");
const path = require("node:path");
const { StringDecoder } = require("node:string_decoder");

const bytes = (hex) => Buffer.from(hex, "hex");
const value = (of) => (typeof of === "object" && of !== null && "hex" in of ? bytes(of.hex) : of);
const MEMBERS = "href origin protocol username password host hostname port pathname search hash".split(" ");
const members = (url) => MEMBERS.map((name) => url[name]);

const CALLS = {
  encode: (text, encoding) => [Buffer.from(text, encoding).toString("hex"), Buffer.byteLength(text, encoding)],
  decode: (hex, encoding, start, end) => bytes(hex).toString(encoding, start, end),
  find: (method, hex, sought, from, encoding) => bytes(hex)[method](value(sought), from, encoding),
  compare: (left, right) => [Buffer.compare(bytes(left), bytes(right)), bytes(left).equals(bytes(right))],
  compareParts: (left, right, ...offsets) => bytes(left).compare(bytes(right), ...offsets),
  part: (method, hex, start, end) => bytes(hex)[method](start, end).toString("hex"),
  fill: (size, pattern, ...rest) =>
    Buffer.alloc(size, 7)
      .fill(value(pattern), ...rest)
      .toString("hex"),
  alloc: (...values) => Buffer.alloc(...values.map(value)).toString("hex"),
  write: (size, text, ...rest) => {
    const buffer = Buffer.alloc(size);
    return [buffer.write(text, ...rest), buffer.toString("hex")];
  },
  copy: (hex, size, ...places) => {
    const target = Buffer.alloc(size);
    return [bytes(hex).copy(target, ...places), target.toString("hex")];
  },
  concat: (parts, length) => Buffer.concat(parts.map(bytes), length).toString("hex"),
  concatAny: (parts, length) => Buffer.concat(Array.isArray(parts) ? parts.map(value) : parts, length).toString("hex"),
  flags: (source, flags, own) => {
    const pattern = new RegExp(source, flags);
    const before = [pattern.flags, "aXbA".replace(pattern, "-")];
    if (own !== undefined) Object.defineProperty(pattern, own, { value: !pattern[own] });
    class Other extends RegExp {
      get global() {
        return !super.global;
      }
    }
    return [...before, pattern.flags, new Other(source, flags).flags];
  },
  number: (method, hex, ...rest) => String(bytes(hex)[method](...rest)),
  setNumber: (method, size, number, ...rest) => {
    const buffer = Buffer.alloc(size);
    const put = buffer[method](method.includes("Big") ? BigInt(number) : number, ...rest);
    return [put, buffer.toString("hex")];
  },
  from: (source, ...rest) => Buffer.from(value(source), ...rest).toString("hex"),
  json: (hex) => JSON.stringify(bytes(hex)),
  textDecoder: (parts, options) => {
    const decoder = new TextDecoder("utf-8", options);
    const texts = parts.map((hex, index) => decoder.decode(bytes(hex), { stream: index < parts.length - 1 }));
    return [decoder.encoding, decoder.fatal, decoder.ignoreBOM, ...texts];
  },
  stringDecoder: (parts, encoding) => {
    const decoder = new StringDecoder(encoding);
    return [...parts.map((hex) => decoder.write(bytes(hex))), decoder.end()].join("");
  },
  url: (text, base) => [URL.canParse(text, base), ...members(base === undefined ? new URL(text) : new URL(text, base))],
  urlChanges: (text, changes) => {
    const url = new URL(text);
    for (const [name, part] of changes) url[name] = part;
    return members(url);
  },
  query: (source, calls) => {
    const query = new URLSearchParams(source);
    const url = new URL("http://h/?q=1");
    const results = [];
    for (const [method, ...rest] of calls) {
      results.push(query[method](...rest) ?? null);
      url.searchParams[method](...rest);
    }
    return [results, query.size, String(query), Array.from(query), url.href, Array.from(url.searchParams)];
  },
  inode: (file) => {
    const descriptor = openSync(file);
    const { ino } = fstatSync(descriptor, { bigint: true });
    closeSync(descriptor);
    return [typeof ino, String(ino)];
  },
  path: (method, ...paths) => path[method](...paths),
  /** Parses `text` inside that many levels of lists and objects, which alternate. */
  deepJson: (levels, text) => {
    let inner = JSON.parse(`${'[{"a":'.repeat(levels)}${text}${"}]".repeat(levels)}`);
    for (let level = 0; level < levels; level += 1) inner = inner[0].a;
    return [JSON.stringify(inner), Object.keys(inner ?? {})];
  },
};

const lines = [];
for (const [name, ...values] of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  let result;
  try {
    result = CALLS[name](...values.map((each) => (each === null ? undefined : each)));
  } catch (error) {
    result = { name: error.name, code: error.code };
  }
  lines.push(JSON.stringify(result) ?? "undefined");
}
const text = Buffer.from(`${lines.join("\n")}\n`);
for (let at = 0; at < text.length;) at += writeSync(1, text, at);
