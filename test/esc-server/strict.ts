/** Checks each request to the ESC server against the rules of the API: path, method, query, headers and body. */
import { matchRoute, type Operation } from "./routes.ts";

/** A request as it arrived. */
export interface RawRequest {
  readonly method: string;
  /** The request target, undecoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

interface Breach {
  readonly status: number;
  readonly message: string;
}

export interface Inspection {
  readonly operation: Operation | undefined;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** Breaches of the API's rules; the first decides the status. */
  readonly breaches: readonly Breach[];
}

/** Checks a request against the rules of the API: path, method, query, headers, body. */
export function inspectRequest(request: RawRequest, basePath: string): Inspection {
  const [path = "", search = ""] = request.target.split(/\?(.*)/s, 2);
  const query = new URLSearchParams(search);
  const segments = checkPath(path, basePath);
  if ("breach" in segments) return inspectUnroutable(query, segments.breach);
  const match = matchRoute(request.method, segments.decoded);
  if (match.kind === "unknown path") return inspectUnroutable(query, { status: 404, message: `unknown path ${path}` });
  if (match.kind === "wrong method") {
    const message = `${request.method} ${path}: only ${match.allowed.join(", ")} is allowed`;
    return inspectUnroutable(query, { status: 405, message });
  }
  const { operation, parameters } = match;
  const breaches = [
    ...checkQuery(operation, query, match.query),
    ...checkAuthorization(operation, request),
    ...checkHeaders(operation, request),
    ...checkBody(operation, request),
  ];
  return { operation, parameters, query, breaches };
}

function inspectUnroutable(query: URLSearchParams, breach: Breach): Inspection {
  return { operation: undefined, parameters: new Map(), query, breaches: [breach] };
}

function checkPath(
  path: string,
  basePath: string,
): { readonly decoded: readonly string[] } | { readonly breach: Breach } {
  if (!path.startsWith(`${basePath}/`))
    return createBreach(404, `${path} does not begin with the base path ${basePath}`);
  const raw = path.slice(basePath.length + 1).split("/");
  const decoded: string[] = [];
  for (const segment of raw) {
    if (segment === "") return createBreach(400, `empty segment in ${path}`);
    if (segment === "." || segment === "..") return createBreach(400, `dot segment in ${path}`);
    const plain = decodeSegment(segment);
    if (plain === undefined || encodeURIComponent(plain) !== segment) {
      return createBreach(400, `segment "${segment}" is not escaped as encodeURIComponent does it`);
    }
    decoded.push(plain);
  }
  return { decoded };
}

function createBreach(status: number, message: string): { readonly breach: Breach } {
  return { breach: { status, message } };
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function checkQuery(operation: Operation, query: URLSearchParams, known: readonly string[]): Breach[] {
  const names = [...query.keys()];
  return names.flatMap((name, index) => {
    if (!known.includes(name)) return [{ status: 400, message: `${operation}: unknown query parameter ${name}` }];
    if (names.indexOf(name) !== index) return [{ status: 400, message: `${operation}: ${name} given twice` }];
    return [];
  });
}

/** The token in `Authorization: token …`, or `undefined` when the header is missing or has another form. */
export function authorizationToken(headers: RawRequest["headers"]): string | undefined {
  return /^token ([\x21-\x7e]+)$/.exec(headers["authorization"] ?? "")?.[1];
}

function checkAuthorization(operation: Operation, { headers }: RawRequest): Breach[] {
  const given = headers["authorization"];
  if (operation === "exchangeToken") {
    return given === undefined ? [] : [{ status: 400, message: "exchangeToken needs no Authorization, yet got one" }];
  }
  if (given === undefined) return [{ status: 401, message: `${operation}: no Authorization header` }];
  if (authorizationToken(headers) !== undefined) return [];
  // The scheme only: what follows may be a real token.
  const scheme = given.includes(" ") ? given.slice(0, given.indexOf(" ")) : "(none)";
  return [{ status: 401, message: `${operation}: Authorization must be "token …", its scheme is ${scheme}` }];
}

/** The versions of today's clients: 8, and 9 for the sign-in of the Pulumi CLI. */
const ACCEPT: readonly string[] = ["application/vnd.pulumi+8", "application/vnd.pulumi+9"];

function checkHeaders(operation: Operation, { headers }: RawRequest): Breach[] {
  const breaches: Breach[] = [];
  const accepted = new Set((headers["accept"] ?? "").split(",").map((type) => type.split(";")[0]?.trim()));
  const alsoPlain = operation === "exchangeToken" && accepted.has("application/json");
  if (!ACCEPT.some((type) => accepted.has(type)) && !alsoPlain) {
    breaches.push({ status: 406, message: `${operation}: Accept must be ${ACCEPT.join(" or ")}` });
  }
  const agent = headers["user-agent"] ?? "";
  if (agent.trim() === "") breaches.push({ status: 400, message: `${operation}: no User-Agent` });
  else if (/^(?:axios|node|undici|got)(?:\/|$)/i.test(agent) && !(alsoPlain && isOfAuthActions(headers))) {
    breaches.push({ status: 400, message: `${operation}: User-Agent ${agent} is that of an HTTP library` });
  }
  if (headers["x-pulumi-source"] === "") breaches.push({ status: 400, message: `${operation}: empty X-Pulumi-Source` });
  if ((headers["host"] ?? "") === "") breaches.push({ status: 400, message: `${operation}: no Host` });
  return breaches;
}

const JSON_TYPE = "application/json";

/** The request of pulumi/auth-actions 2.1.0 for the exchange; sophia-run sends a form. */
function isOfAuthActions(headers: RawRequest["headers"]): boolean {
  return (
    (headers["user-agent"] ?? "").startsWith("axios/") && headers["content-type"]?.split(";")[0]?.trim() === JSON_TYPE
  );
}
const BODY_TYPES: ReadonlyMap<Operation, readonly string[]> = new Map<Operation, readonly string[]>([
  ["update", ["application/x-yaml", JSON_TYPE]],
  ["createDraft", ["application/x-yaml", JSON_TYPE]],
  ["rotate", [JSON_TYPE]],
  ["requestOpen", [JSON_TYPE]],
  ["submitChangeRequest", [JSON_TYPE]],
  ["checkYaml", ["application/x-yaml", JSON_TYPE]],
  ["createEnvironment", [JSON_TYPE]],
  ["createRevisionTag", [JSON_TYPE]],
  ["updateRevisionTag", [JSON_TYPE]],
  ["createToken", [JSON_TYPE]],
  ["exchangeToken", [JSON_TYPE, "application/x-www-form-urlencoded"]],
]);

function checkBody(operation: Operation, { headers, body }: RawRequest): Breach[] {
  const type = headers["content-type"]?.split(";")[0]?.trim();
  const allowed = BODY_TYPES.get(operation);
  if (allowed === undefined) {
    const breaches: Breach[] = [];
    if (body !== "") breaches.push({ status: 400, message: `${operation}: takes no body` });
    if (type !== undefined && type !== JSON_TYPE) {
      breaches.push({ status: 415, message: `${operation}: Content-Type is ${type}, not ${JSON_TYPE}` });
    }
    return breaches;
  }
  if (type !== undefined && allowed.includes(type)) return [];
  return [{ status: 415, message: `${operation}: Content-Type is ${type ?? "missing"}, not ${allowed.join(" or ")}` }];
}
