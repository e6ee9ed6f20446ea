/**
 * The facts about GitHub by which the broker serves tokens of GitHub. One token opens web pages and git, the API, and
 * uploads. Where these are depends on the kind of GitHub:
 *
 *     web and git         API                         uploads
 *     github.com          api.github.com              uploads.github.com              the public service
 *     acme.ghe.com        api.acme.ghe.com            uploads.acme.ghe.com            a customer's part of the service
 *     ghe.example.com     ghe.example.com/api/v3      ghe.example.com/api/uploads     GitHub Enterprise Server, on one host
 *
 * Rules in contracts, and the built-in ones below, are written for the public service. `translateRules` translates them.
 */
import { type PathRule, createRule } from "./path-rules.ts";

/** One host of a service. */
export interface Site {
  /** Host and port, in lower case, as rules and clients name the site. */
  readonly host: string;
  readonly origin: string;
  /** True if git uses this host. Its requests to the broker have an absolute target, as requests to a proxy have. */
  readonly hasGit: boolean;
}

const GITHUB_ORIGIN = "https://github.com";

/**
 * Matches the web origins of the public service and of its customers, which have separate hosts for the API and
 * uploads.
 */
const CLOUD_ORIGIN = /^https:\/\/(?:github|[a-z\d-]+\.ghe)\.com$/;
const CLOUD_API_ORIGIN = /^(https:\/\/)api\.((?:github|[a-z\d-]+\.ghe)\.com)$/;

/** The variables in which clients look for the address of the API, each with the path on a GitHub Enterprise Server. */
const ENTERPRISE_PATHS: Readonly<Record<string, string>> = {
  GITHUB_API_URL: "/api/v3",
  GITHUB_GRAPHQL_URL: "/api/graphql",
};

/** The first segments of paths on a GitHub Enterprise Server, by the host of the public service that they stand for. */
const ENTERPRISE_ROOTS: Readonly<Record<string, readonly string[]>> = {
  "github.com": [],
  "api.github.com": ["api", "v3"],
  "uploads.github.com": ["api", "uploads"],
};

/** Returns the hosts of a service. @param webOrigin the origin of its web pages */
export function listSites(webOrigin: string): readonly Site[] {
  const webSite: Site = { host: new URL(webOrigin).host, origin: webOrigin, hasGit: true };
  if (!CLOUD_ORIGIN.test(webOrigin)) return [webSite];
  const subdomains = ["api", "uploads"].map((name): Site => {
    const origin = webOrigin.replace("//", `//${name}.`);
    return { host: new URL(origin).host, origin, hasGit: false };
  });
  return [webSite, ...subdomains];
}

/**
 * Returns the origin of the web pages of the service whose API has an address.
 *
 * @param variable the variable that holds the address; undefined if the contract has it
 * @returns undefined if the address is not one of GitHub's API
 */
export function findWebOrigin({ origin, pathname }: URL, variable: string | undefined): string | undefined {
  const path = pathname.replace(/\/+$/, "");
  const [, scheme = "", host] = CLOUD_API_ORIGIN.exec(origin) ?? [];
  if (host !== undefined) return path === "" || path === "/graphql" ? scheme + host : undefined;
  return path === "" || path === ENTERPRISE_PATHS[variable ?? ""] ? origin : undefined;
}

/**
 * Returns the path of the address of the API that the program gets, after the broker's origin. It begins with the host.
 *
 * @param variable the variable in which the program gets the address
 * @param githubPath the path for the public service, such as `/api.github.com`
 * @param webOrigin the origin of the web pages
 */
export function createApiPath(variable: string, githubPath: string, webOrigin: string): string {
  const { host } = new URL(webOrigin);
  if (CLOUD_ORIGIN.test(webOrigin)) return githubPath.replace("github.com", host);
  const enterprisePath = ENTERPRISE_PATHS[variable];
  return enterprisePath === undefined ? githubPath : `/${host}${enterprisePath}`;
}

/**
 * Translates rules for the hosts of the public service into rules for the hosts of another one.
 *
 * @param webOrigin the origin of its web pages
 */
export function translateRules(rules: readonly PathRule[], webOrigin: string): readonly PathRule[] {
  if (webOrigin === GITHUB_ORIGIN) return rules;
  const { host: webHost } = new URL(webOrigin);
  const isCloud = CLOUD_ORIGIN.test(webOrigin);
  return rules.map((rule) => {
    const root = ENTERPRISE_ROOTS[rule.host ?? ""];
    const isForPublicService = root !== undefined;
    if (!isForPublicService) return rule;
    const host = isCloud ? (rule.host ?? "").replace("github.com", webHost) : webHost;
    const segments = isCloud ? rule.segments : [...root, ...rule.segments];
    return createRule({ host, method: rule.method, segments, text: `${host}: ${rule.method} /${segments.join("/")}` });
  });
}

/** Denied paths below a repository, each with the page of https://docs.github.com/en/rest that describes it. */
const REPOSITORY_PATHS: Readonly<Record<string, string>> = {
  "actions/runners": "actions/self-hosted-runners",
  "actions/secrets": "actions/secrets",
  "codespaces/secrets": "codespaces/repository-secrets",
  "dependabot/secrets": "dependabot/secrets",
  "environments/*/secrets": "actions/secrets",
  hooks: "repos/webhooks",
  keys: "deploy-keys/deploy-keys",
};

/** Denied paths below an organization, each with its page. */
const ORGANIZATION_PATHS: Readonly<Record<string, string>> = {
  "actions/runners": "actions/self-hosted-runners",
  "actions/secrets": "actions/secrets",
  "codespaces/secrets": "codespaces/organization-secrets",
  "credential-authorizations": "orgs/orgs",
  "dependabot/secrets": "dependabot/secrets",
  hooks: "orgs/webhooks",
  "personal-access-token-requests": "orgs/personal-access-tokens",
  "personal-access-tokens": "orgs/personal-access-tokens",
  "private-registries": "private-registries/organization-configurations",
};

/** Other denied paths, each with its page. Only GitHub Enterprise Server has `admin` and `authorizations`. */
const OTHER_PATHS: Readonly<Record<string, string>> = {
  admin: "enterprise-admin/users",
  "app/hook": "apps/webhooks",
  "app/installations": "apps/apps",
  "app-manifests": "apps/apps",
  applications: "apps/oauth-applications",
  authorizations: "oauth-authorizations/oauth-authorizations",
  "enterprises/*/actions/runners": "actions/self-hosted-runners",
  "installation/token": "apps/installations",
  "user/codespaces/secrets": "codespaces/secrets",
  "user/gpg_keys": "users/gpg-keys",
  "user/keys": "users/keys",
  "user/ssh_signing_keys": "users/ssh-signing-keys",
};

/**
 * The paths of the API that create or change credentials: a program could keep such a credential after its end. The API
 * also accepts numbers in place of names: `/repositories/1/keys`.
 */
const DENIED_PATHS: readonly string[] = [
  ...Object.keys(REPOSITORY_PATHS).flatMap((path) => [`/repos/*/*/${path}`, `/repositories/*/${path}`]),
  ...Object.keys(ORGANIZATION_PATHS).flatMap((path) => [`/orgs/*/${path}`, `/organizations/*/${path}`]),
  ...Object.keys(OTHER_PATHS).map((path) => `/${path}`),
].toSorted();

/** The entry of GitHub in the list of services (providers.ts), for each variable of a token. */
export const GITHUB = {
  origin: GITHUB_ORIGIN,
  slots: [
    { header: "authorization", scheme: "bearer" },
    { header: "authorization", scheme: "token" },
  ],
  base: { GITHUB_API_URL: "/api.github.com", GITHUB_GRAPHQL_URL: "/api.github.com/graphql" },
  deny: DENIED_PATHS.map((path) => `api.github.com: * ${path}/**`),
  isGithub: true,
};
