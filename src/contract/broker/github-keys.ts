/**
 * GitHub, which has several hosts for one token: git, the API and uploads each have their own. GitHub Enterprise Server has
 * all below one host.
 */
import { type PathRule, ruleOf } from "./path-rules.ts";

/** One host of a service that has several. */
export interface Site {
  /** Host and port, in lower case, by which rules and clients name it. */
  readonly host: string;
  readonly origin: string;
  /** git asks for it in absolute form, as a proxy is asked. */
  readonly hasGit: boolean;
}

const WEB = "https://github.com";

/** github.com, and the same service at addresses of its customers (data residency): their API has a host, too. */
const CLOUD = /^https:\/\/(?:github|[a-z\d-]+\.ghe)\.com$/;
const CLOUD_API = /^(https:\/\/)api\.((?:github|[a-z\d-]+\.ghe)\.com)$/;

/** The variables of the API's addresses, each with the path below the host of a GitHub Enterprise Server. */
const ENTERPRISE: Readonly<Record<string, string>> = { GITHUB_API_URL: "/api/v3", GITHUB_GRAPHQL_URL: "/api/graphql" };

const ENTERPRISE_ROOTS: Readonly<Record<string, readonly string[]>> = {
  "github.com": [],
  "api.github.com": ["api", "v3"],
  "uploads.github.com": ["api", "uploads"],
};

/** Returns the hosts of the service. @param origin of its web pages */
export function sitesOf(origin: string): readonly Site[] {
  const site = (of: string, hasGit: boolean): Site => ({ host: new URL(of).host, origin: of, hasGit });
  const below = (name: string): string => origin.replace("//", `//${name}.`);
  return CLOUD.test(origin)
    ? [site(origin, true), site(below("api"), false), site(below("uploads"), false)]
    : [site(origin, true)];
}

/**
 * Returns the origin of the web pages, for an address in the contract or in a variable.
 *
 * @returns undefined if this is no address of GitHub's API
 */
export function webOriginOf({ origin, pathname }: URL, variable: string | undefined): string | undefined {
  const path = pathname.replace(/\/+$/, "");
  const [, scheme = "", host] = CLOUD_API.exec(origin) ?? [];
  if (host !== undefined) return path === "" || path === "/graphql" ? scheme + host : undefined;
  return path === "" || path === ENTERPRISE[variable ?? ""] ? origin : undefined;
}

/** Returns the path behind the broker's address for a variable of the API. @param usual that of github.com */
export function apiPath(variable: string, usual: string, web: string): string {
  const below = ENTERPRISE[variable];
  const { host } = new URL(web);
  if (CLOUD.test(web)) return usual.replace("github.com", host);
  return below === undefined ? usual : `/${host}${below}`;
}

/** Returns the rules for the hosts that a key really has. */
export function rulesFor(rules: readonly PathRule[], web: string): readonly PathRule[] {
  if (web === WEB) return rules;
  const { host } = new URL(web);
  return rules.map((rule) => {
    const root = ENTERPRISE_ROOTS[rule.host ?? ""];
    if (root === undefined) return rule;
    const isCloud = CLOUD.test(web);
    const own = isCloud ? (rule.host ?? "").replace("github.com", host) : host;
    const segments = isCloud ? rule.segments : [...root, ...rule.segments];
    return ruleOf({ host: own, method: rule.method, segments, text: `${own}: ${rule.method} /${segments.join("/")}` });
  });
}

/** Suffixes of a repository's paths, with their sources below https://docs.github.com/en/rest. */
const OF_REPOSITORIES: Readonly<Record<string, string>> = {
  "actions/runners": "actions/self-hosted-runners",
  "actions/secrets": "actions/secrets",
  "codespaces/secrets": "codespaces/repository-secrets",
  "dependabot/secrets": "dependabot/secrets",
  "environments/*/secrets": "actions/secrets",
  hooks: "repos/webhooks",
  keys: "deploy-keys/deploy-keys",
};

/** The same for an organization. */
const OF_ORGANIZATIONS: Readonly<Record<string, string>> = {
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

/** The other paths. Those of `admin` and `authorizations` are of GitHub Enterprise Server. */
const OTHERS: Readonly<Record<string, string>> = {
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

/** The paths of the API that make or change credentials. It takes numbers in place of names: `/repositories/1/keys`. */
const DENIED_PATHS: readonly string[] = [
  ...Object.keys(OF_REPOSITORIES).flatMap((path) => [`/repos/*/*/${path}`, `/repositories/*/${path}`]),
  ...Object.keys(OF_ORGANIZATIONS).flatMap((path) => [`/orgs/*/${path}`, `/organizations/*/${path}`]),
  ...Object.keys(OTHERS).map((path) => `/${path}`),
].toSorted();

/** The provider of each token's variable. */
export const GITHUB = {
  origin: WEB,
  slots: [
    { header: "authorization", scheme: "bearer" },
    { header: "authorization", scheme: "token" },
  ],
  base: { GITHUB_API_URL: "/api.github.com", GITHUB_GRAPHQL_URL: "/api.github.com/graphql" },
  deny: DENIED_PATHS.map((path) => `api.github.com: * ${path}/**`),
  isGithub: true,
};
