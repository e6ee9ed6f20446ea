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
  createRoute("user", "GET", "/api/user"),
  createRoute("defaultOrg", "GET", "/api/user/organizations/default"),
  createRoute("listRoles", "GET", "/api/orgs/:organization/roles"),
  ...tokenRoutes("/api/user/tokens"),
  ...tokenRoutes("/api/orgs/:organization/tokens"),
  ...tokenRoutes("/api/orgs/:organization/teams/:team/tokens"),
  createRoute("exchangeToken", "POST", "/api/oauth/token"),
  createRoute("list", "GET", ENVIRONMENTS, "continuationToken", "maxResults"),
  createRoute("list", "GET", `${ENVIRONMENTS}/:organization`, "continuationToken", "maxResults"),
  createRoute("createEnvironment", "POST", `${ENVIRONMENTS}/:organization`),
  createRoute("checkYaml", "POST", `${ENVIRONMENTS}/:organization/yaml/check`, "showSecrets"),
  createRoute("definition", "GET", ONE),
  createRoute("etag", "HEAD", ONE),
  createRoute("update", "PATCH", ONE),
  createRoute("createDraft", "POST", `${ONE}/drafts`),
  createRoute("rotate", "POST", `${ONE}/rotate`),
  createRoute("requestOpen", "POST", `${ONE}/open/request`),
  createRoute("submitChangeRequest", "POST", "/api/change-requests/:organization/:request/submit"),
  createRoute("changeRequest", "GET", "/api/change-requests/:organization/:request"),
  createRoute("metadata", "GET", `${ONE}/metadata`),
  createRoute(
    "referrers",
    "GET",
    `${ONE}/referrers`,
    "count",
    "allRevisions",
    "latestStackVersionOnly",
    "continuationToken",
  ),
  createRoute("deleteEnvironment", "DELETE", ONE),
  createRoute("open", "POST", `${ONE}/open`, "duration"),
  createRoute("read", "GET", `${ONE}/open/:session`, "property"),
  createRoute("check", "POST", `${ONE}/check`, "showSecrets"),
  createRoute("decrypt", "GET", `${ONE}/decrypt`),
  createRoute("revisions", "GET", `${ONE}/versions`, "before", "count"),
  createRoute("listRevisionTags", "GET", `${ONE}/versions/tags`, "after", "count"),
  createRoute("createRevisionTag", "POST", `${ONE}/versions/tags`),
  createRoute("getRevisionTag", "GET", `${ONE}/versions/tags/:tag`),
  createRoute("updateRevisionTag", "PATCH", `${ONE}/versions/tags/:tag`),
  createRoute("deleteRevisionTag", "DELETE", `${ONE}/versions/tags/:tag`),
  createRoute("definition", "GET", `${ONE}/versions/:version`),
  createRoute("open", "POST", `${ONE}/versions/:version/open`, "duration"),
  createRoute("check", "POST", `${ONE}/versions/:version/check`, "showSecrets"),
];

function createRoute(operation: Operation, method: string, path: string, ...query: string[]): Route {
  return { operation, method, pattern: path.split("/").slice(1), query };
}

function tokenRoutes(path: string): readonly Route[] {
  return [
    createRoute("listTokens", "GET", path, "filter"),
    createRoute("createToken", "POST", path),
    createRoute("deleteToken", "DELETE", `${path}/:token`),
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
