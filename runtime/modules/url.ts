/**
 * The module node:url of the executable's runtime: the classes URL and URLSearchParams (WHATWG URL), which are also globals, and
 * `fileURLToPath`. The C++ library ada, which Node.js also uses, parses the URLs.
 */
import { codedError, invalidType } from "../errors.ts";
import { natives } from "../native.ts";
import { parseQuery, URLSearchParams } from "../search-params.ts";

/**
 * A normalized URL and the positions of its parts, as ada returns them. The position of a missing part is -1.
 *
 *   https://user:pass@example.com:1234/foo/bar?baz#quux
 *         |     |    |           |    |       |   hashStart
 *         |     |    |           |    |       searchStart
 *         |     |    |           |    pathnameStart
 *         |     |    |           hostEnd
 *         |     |    hostStart
 *         |     usernameEnd
 *         protocolEnd
 */
type UrlParts = readonly [
  href: string,
  protocolEnd: number,
  usernameEnd: number,
  hostStart: number,
  hostEnd: number,
  port: number,
  pathnameStart: number,
  searchStart: number,
  hashStart: number,
];

interface Natives {
  /** Parses a URL. @returns undefined for an invalid URL */
  readonly parseUrl: (text: string | URL, base?: string | URL) => UrlParts | undefined;
  /** Replaces a part of a URL. @param part one of the numbers below @returns undefined if the text is not valid for this part */
  readonly changeUrl: (url: string, part: number, text: string) => UrlParts | undefined;
}

const native = natives<Natives>();

/** The numbers of the parts of a URL in `changeUrl`, as in runtime/native/url.c. */
const [HREF, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
];

/** The protocols of URLs that have an origin. */
const PROTOCOLS_WITH_ORIGIN = new Set(["http:", "https:", "ws:", "wss:", "ftp:"]);

function invalidUrl(input: string, base?: string): Error {
  const error = codedError("ERR_INVALID_URL", "Invalid URL", TypeError);
  return Object.assign(error, { input }, base === undefined ? {} : { base });
}

export class URL {
  #parts: UrlParts;
  #searchParams: URLSearchParams | undefined;

  constructor(text: string | URL, base?: string | URL) {
    const parts = native.parseUrl(text, base);
    if (parts === undefined) throw invalidUrl(String(text), base === undefined ? undefined : String(base));
    this.#parts = parts;
  }

  static canParse(text: string | URL, base?: string | URL): boolean {
    return native.parseUrl(text, base) !== undefined;
  }

  static parse(text: string | URL, base?: string | URL): URL | null {
    return URL.canParse(text, base) ? new URL(text, base) : null;
  }

  /** Replaces a part. As the standard requires, an invalid text changes nothing. */
  #change(part: number, text: string | number): void {
    this.#parts = native.changeUrl(this.href, part, String(text)) ?? this.#parts;
  }

  get href(): string {
    return this.#parts[0];
  }

  set href(text: string) {
    const parts = native.changeUrl(this.href, HREF, text);
    if (parts === undefined) throw invalidUrl(text);
    this.#parts = parts;
    this.#updateSearchParams();
  }

  get origin(): string {
    const { protocol } = this;
    if (PROTOCOLS_WITH_ORIGIN.has(protocol)) return `${protocol}//${this.host}`;
    if (protocol !== "blob:") return "null";
    const inner = URL.parse(this.pathname);
    return inner !== null && /^https?:$/.test(inner.protocol) ? inner.origin : "null";
  }

  get protocol(): string {
    const [href, end] = this.#parts;
    return href.slice(0, end);
  }

  set protocol(text: string) {
    this.#change(PROTOCOL, text);
  }

  get username(): string {
    const [href, protocolEnd, usernameEnd] = this.#parts;
    return protocolEnd + 2 < usernameEnd ? href.slice(protocolEnd + 2, usernameEnd) : "";
  }

  set username(text: string) {
    this.#change(USERNAME, text);
  }

  get password(): string {
    const [href, , usernameEnd, hostStart] = this.#parts;
    return hostStart > usernameEnd ? href.slice(usernameEnd + 1, hostStart) : "";
  }

  set password(text: string) {
    this.#change(PASSWORD, text);
  }

  get host(): string {
    const [href, , , , , , pathnameStart] = this.#parts;
    // Without a port, the end of the host must be used: in a URL without a host, "/." separates it from a path that begins with "//".
    return href.slice(this.#hostNameStart(), this.port === "" ? this.#hostEnd() : pathnameStart);
  }

  set host(text: string) {
    this.#change(HOST, text);
  }

  get hostname(): string {
    return this.href.slice(this.#hostNameStart(), this.#hostEnd());
  }

  set hostname(text: string) {
    this.#change(HOSTNAME, text);
  }

  /** Returns the position of the host without the "@" that follows a user name. */
  #hostNameStart(): number {
    const [href, , , hostStart] = this.#parts;
    return href[hostStart] === "@" ? hostStart + 1 : hostStart;
  }

  #hostEnd(): number {
    return this.#parts[4];
  }

  get port(): string {
    const [, , , , , port] = this.#parts;
    return port === -1 ? "" : String(port);
  }

  set port(text: string | number) {
    this.#change(PORT, text);
  }

  get pathname(): string {
    const [href, , , , , , start, searchStart, hashStart] = this.#parts;
    if (searchStart !== -1) return href.slice(start, searchStart);
    return hashStart === -1 ? href.slice(start) : href.slice(start, hashStart);
  }

  set pathname(text: string) {
    this.#change(PATHNAME, text);
  }

  get search(): string {
    const [href, , , , , , , start, hashStart] = this.#parts;
    const search = start === -1 ? "" : href.slice(start, hashStart === -1 ? undefined : hashStart);
    return search === "?" ? "" : search;
  }

  set search(text: string) {
    this.#change(SEARCH, text);
    this.#updateSearchParams();
  }

  get hash(): string {
    const [href, , , , , , , , start] = this.#parts;
    const hash = start === -1 ? "" : href.slice(start);
    return hash === "#" ? "" : hash;
  }

  set hash(text: string) {
    this.#change(HASH, text);
  }

  get searchParams(): URLSearchParams {
    if (this.#searchParams === undefined) {
      this.#searchParams = new URLSearchParams(this.search);
      this.#searchParams.onChange((query) => this.#change(SEARCH, query));
    }
    return this.#searchParams;
  }

  /** Changes `searchParams` after the query of this URL has changed. */
  #updateSearchParams(): void {
    if (this.#searchParams !== undefined) this.#searchParams.replaceAll(parseQuery(this.search));
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}

export { URLSearchParams };

/** Returns the path of a URL such as "file:///tmp/a%20b". @throws the error that Node.js throws for a URL of no local file */
export function fileURLToPath(value: string | URL): string {
  const url = typeof value === "string" ? new URL(value) : value;
  if (!(url instanceof URL)) throw invalidType("path", "of type string or an instance of URL", value);
  if (url.protocol !== "file:") {
    throw codedError("ERR_INVALID_URL_SCHEME", "The URL must be of scheme file", TypeError);
  }
  if (url.hostname !== "") {
    const message = 'File URL host must be "localhost" or empty on linux';
    throw codedError("ERR_INVALID_FILE_URL_HOST", message, TypeError);
  }
  if (/%2f/i.test(url.pathname)) {
    throw codedError("ERR_INVALID_FILE_URL_PATH", "File URL path must not include encoded / characters", TypeError);
  }
  return decodeURIComponent(url.pathname);
}
