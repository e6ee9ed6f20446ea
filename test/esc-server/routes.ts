/** Everything that the server does, by name: what tests count and where they inject faults. */
export const OPERATIONS = [
  "open",
  "read",
  "definition",
  "etag",
  "update",
  "createDraft",
  "rotate",
  "requestOpen",
  "submitChangeRequest",
  "changeRequest",
  "metadata",
  "referrers",
  "check",
  "checkYaml",
  "revisions",
  "list",
  "createEnvironment",
  "deleteEnvironment",
  "decrypt",
  "listRevisionTags",
  "createRevisionTag",
  "getRevisionTag",
  "updateRevisionTag",
  "deleteRevisionTag",
  "user",
  "defaultOrg",
  "listRoles",
  "listTokens",
  "createToken",
  "deleteToken",
  "exchangeToken",
] as const;

export type Operation = (typeof OPERATIONS)[number];

interface Route {
  readonly operation: Operation;
  readonly method: string;
  readonly pattern: readonly string[];
  /** Query parameters that the operation knows; any other is a violation. */
  readonly query: readonly string[];
}

const ENVIRONMENTS = "/api/esc/environments";
const ONE = `${ENVIRONMENTS}/:organization/:project/:name`;

// Literal segments stand before parameters at the same place.
const ROUTES: readonly Route[] = [
  route("user", "GET", "/api/user"),
  route("defaultOrg", "GET", "/api/user/organizations/default"),
  route("listRoles", "GET", "/api/orgs/:organization/roles"),
  ...tokenRoutes("/api/user/tokens"),
  ...tokenRoutes("/api/orgs/:organization/tokens"),
  ...tokenRoutes("/api/orgs/:organization/teams/:team/tokens"),
  route("exchangeToken", "POST", "/api/oauth/token"),
  route("list", "GET", ENVIRONMENTS, "continuationToken", "maxResults"),
  route("list", "GET", `${ENVIRONMENTS}/:organization`, "continuationToken", "maxResults"),
  route("createEnvironment", "POST", `${ENVIRONMENTS}/:organization`),
  route("checkYaml", "POST", `${ENVIRONMENTS}/:organization/yaml/check`, "showSecrets"),
  route("definition", "GET", ONE),
  route("etag", "HEAD", ONE),
  route("update", "PATCH", ONE),
  route("createDraft", "POST", `${ONE}/drafts`),
  route("rotate", "POST", `${ONE}/rotate`),
  route("requestOpen", "POST", `${ONE}/open/request`),
  route("submitChangeRequest", "POST", "/api/change-requests/:organization/:request/submit"),
  route("changeRequest", "GET", "/api/change-requests/:organization/:request"),
  route("metadata", "GET", `${ONE}/metadata`),
  route("referrers", "GET", `${ONE}/referrers`, "count", "allRevisions", "latestStackVersionOnly", "continuationToken"),
  route("deleteEnvironment", "DELETE", ONE),
  route("open", "POST", `${ONE}/open`, "duration"),
  route("read", "GET", `${ONE}/open/:session`, "property"),
  route("check", "POST", `${ONE}/check`, "showSecrets"),
  route("decrypt", "GET", `${ONE}/decrypt`),
  route("revisions", "GET", `${ONE}/versions`, "before", "count"),
  route("listRevisionTags", "GET", `${ONE}/versions/tags`, "after", "count"),
  route("createRevisionTag", "POST", `${ONE}/versions/tags`),
  route("getRevisionTag", "GET", `${ONE}/versions/tags/:tag`),
  route("updateRevisionTag", "PATCH", `${ONE}/versions/tags/:tag`),
  route("deleteRevisionTag", "DELETE", `${ONE}/versions/tags/:tag`),
  route("definition", "GET", `${ONE}/versions/:version`),
  route("open", "POST", `${ONE}/versions/:version/open`, "duration"),
  route("check", "POST", `${ONE}/versions/:version/check`, "showSecrets"),
];

function route(operation: Operation, method: string, path: string, ...query: string[]): Route {
  return { operation, method, pattern: path.split("/").slice(1), query };
}

function tokenRoutes(path: string): readonly Route[] {
  return [
    route("listTokens", "GET", path, "filter"),
    route("createToken", "POST", path),
    route("deleteToken", "DELETE", `${path}/:token`),
  ];
}

export type RouteMatch =
  | {
      readonly kind: "operation";
      readonly operation: Operation;
      readonly parameters: ReadonlyMap<string, string>;
      readonly query: readonly string[];
    }
  | { readonly kind: "wrong method"; readonly allowed: readonly string[] }
  | { readonly kind: "unknown path" };

/** The operation of a method and decoded path segments. */
export function matchRoute(method: string, segments: readonly string[]): RouteMatch {
  const matches = ROUTES.flatMap(({ pattern, ...found }) => {
    const parameters = matchSegments(pattern, segments);
    return parameters === undefined ? [] : [{ ...found, parameters }];
  });
  const match = matches.find((found) => found.method === method);
  if (match !== undefined) return { ...match, kind: "operation" };
  if (matches.length === 0) return { kind: "unknown path" };
  return { kind: "wrong method", allowed: [...new Set(matches.map((found) => found.method))] };
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Map<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (part.startsWith(":")) parameters.set(part.slice(1), segment);
    else if (part !== segment) return undefined;
  }
  return parameters;
}
