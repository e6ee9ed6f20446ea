/**
 * GitHub as a provider of the broker. One token is for several hosts:
 *
 *     github.com          api.github.com              uploads.github.com              git, the API, and uploads
 *     acme.ghe.com        api.acme.ghe.com            uploads.acme.ghe.com            the same for a customer (data residency)
 *     ghe.example.com     ghe.example.com/api/v3      ghe.example.com/api/uploads     GitHub Enterprise Server has one host
 */
import { type PathRule, ruleOf } from "./path-rules.ts";

/** One host of a service that has several. */
export interface Site {
  /** Host and port, in lower case, by which rules and clients name it. */
  readonly host: string;
  readonly origin: string;
  /** git uses this host: its requests have an absolute target, as for a proxy. */
  readonly hasGit: boolean;
}

const GITHUB_ORIGIN = "https://github.com";

/** Matches the origins with separate hosts for the API and for uploads. */
const CLOUD_ORIGIN = /^https:\/\/(?:github|[a-z\d-]+\.ghe)\.com$/;
const CLOUD_API_ORIGIN = /^(https:\/\/)api\.((?:github|[a-z\d-]+\.ghe)\.com)$/;

/** The variables with an address of the API, each with its path on a GitHub Enterprise Server. */
const ENTERPRISE_PATHS: Readonly<Record<string, string>> = {
  GITHUB_API_URL: "/api/v3",
  GITHUB_GRAPHQL_URL: "/api/graphql",
};

/** The segments on a GitHub Enterprise Server that stand for a host of github.com, by host. */
const ENTERPRISE_ROOTS: Readonly<Record<string, readonly string[]>> = {
  "github.com": [],
  "api.github.com": ["api", "v3"],
  "uploads.github.com": ["api", "uploads"],
};

/** Returns the hosts of the service. @param origin the origin of its web pages */
export function sitesOf(origin: string): readonly Site[] {
  const siteAt = (siteOrigin: string, hasGit: boolean): Site => {
    return { host: new URL(siteOrigin).host, origin: siteOrigin, hasGit };
  };
  if (!CLOUD_ORIGIN.test(origin)) return [siteAt(origin, true)];
  const subdomain = (name: string): string => origin.replace("//", `//${name}.`);
  return [siteAt(origin, true), siteAt(subdomain("api"), false), siteAt(subdomain("uploads"), false)];
}

/**
 * Returns the origin of the web pages for an address of the API, which the contract or a variable has.
 *
 * @param variable the variable, if one holds the address
 * @returns undefined if this is no address of GitHub's API
 */
export function webOriginOf({ origin, pathname }: URL, variable: string | undefined): string | undefined {
  const path = pathname.replace(/\/+$/, "");
  const [, scheme = "", host] = CLOUD_API_ORIGIN.exec(origin) ?? [];
  if (host !== undefined) return path === "" || path === "/graphql" ? scheme + host : undefined;
  return path === "" || path === ENTERPRISE_PATHS[variable ?? ""] ? origin : undefined;
}

/**
 * Returns the path that follows the broker's origin in a variable with an address of the API.
 *
 * @param githubPath the path for github.com
 * @param webOrigin the origin of the web pages
 */
export function apiPath(variable: string, githubPath: string, webOrigin: string): string {
  const { host } = new URL(webOrigin);
  if (CLOUD_ORIGIN.test(webOrigin)) return githubPath.replace("github.com", host);
  const enterprisePath = ENTERPRISE_PATHS[variable];
  return enterprisePath === undefined ? githubPath : `/${host}${enterprisePath}`;
}

/**
 * Translates rules for the hosts of github.com into rules for the hosts of the service.
 *
 * @param webOrigin that of its web pages
 */
export function rulesFor(rules: readonly PathRule[], webOrigin: string): readonly PathRule[] {
  if (webOrigin === GITHUB_ORIGIN) return rules;
  const { host: webHost } = new URL(webOrigin);
  const isCloud = CLOUD_ORIGIN.test(webOrigin);
  return rules.map((rule) => {
    const root = ENTERPRISE_ROOTS[rule.host ?? ""];
    if (root === undefined) return rule;
    const host = isCloud ? (rule.host ?? "").replace("github.com", webHost) : webHost;
    const segments = isCloud ? rule.segments : [...root, ...rule.segments];
    return ruleOf({ host, method: rule.method, segments, text: `${host}: ${rule.method} /${segments.join("/")}` });
  });
}

/** Denied paths of a repository, each with the page below https://docs.github.com/en/rest that describes it. */
const REPOSITORY_PATHS: Readonly<Record<string, string>> = {
  "actions/runners": "actions/self-hosted-runners",
  "actions/secrets": "actions/secrets",
  "codespaces/secrets": "codespaces/repository-secrets",
  "dependabot/secrets": "dependabot/secrets",
  "environments/*/secrets": "actions/secrets",
  hooks: "repos/webhooks",
  keys: "deploy-keys/deploy-keys",
};

/** Denied paths of an organization, each with its page. */
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
 * The paths of the API that create or change credentials. The API also accepts numbers in place of names:
 * `/repositories/1/keys`.
 */
const DENIED_PATHS: readonly string[] = [
  ...Object.keys(REPOSITORY_PATHS).flatMap((path) => [`/repos/*/*/${path}`, `/repositories/*/${path}`]),
  ...Object.keys(ORGANIZATION_PATHS).flatMap((path) => [`/orgs/*/${path}`, `/organizations/*/${path}`]),
  ...Object.keys(OTHER_PATHS).map((path) => `/${path}`),
].toSorted();

/** The provider for each variable of a token. */
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
