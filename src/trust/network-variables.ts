/**
 * Recognizes variables that decide through which proxies programs connect, and which certificates they trust. By such variables in
 * its `.env` file, a cloned repository could read everything that programs send. The file is loaded only if a name suggests that
 * it is needed; see suspects.ts.
 */
import { isLoopback } from "../core/url.ts";

/**
 * Matches the names of proxies in any case, because Python, npm, pnpm, Yarn, pip and Cargo ignore the case. `no_proxy` is not matched,
 * because it only names hosts that are reached without a proxy.
 */
const PROXY_NAME =
  /^(?:(?:(?:p?npm_config|yarn|pip|uv|cargo|hex|vault|nomad|consul|bundle|docker|cloudsdk|global_agent|cgi|git|gem|composer|poetry|conda|homebrew)_)?(?:https?|all|ftp|socks[45]?|wss?|rsync|grpc)[_-]proxy|(?:p?npm_config|yarn|pip|uv)_proxy|vault_proxy_addr|cloudsdk_proxy_address)$/i;

/** The variables that can turn the verification of certificates off. Each pattern matches the values that leave it on. */
const SAFE_VALUES_OF_SWITCHES: ReadonlyMap<string, RegExp> = new Map<string, RegExp>([
  // Only the text `0` turns verification off.
  ["NODE_TLS_REJECT_UNAUTHORIZED", /^(?!0$)/],
  ["PYTHONHTTPSVERIFY", /^(?!0$)/],
  ...[
    ["NPM_CONFIG_STRICT_SSL", "PNPM_CONFIG_STRICT_SSL", "YARN_STRICT_SSL", "YARN_ENABLE_STRICT_SSL"],
    ["PERL_LWP_SSL_VERIFY_HOSTNAME", "CONDA_SSL_VERIFY", "CONSUL_HTTP_SSL_VERIFY", "DOCKER_TLS_VERIFY"],
  ]
    .flat()
    .map((name) => [name, /^(?:1|true|yes|on)$/i] as const),
  ...[
    ["HEX_UNSAFE_HTTPS", "VAULT_SKIP_VERIFY", "NOMAD_SKIP_VERIFY", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY"],
    ["CLOUDSDK_AUTH_DISABLE_SSL_VALIDATION", "CURL_INSECURE", "CARGO_HTTP_SSL_NO_VERIFY"],
  ]
    .flat()
    .map((name) => [name, /^(?:0|false|no|off)$/i] as const),
  // Any text, even `false`, turns verification off, so that the pattern matches nothing.
  ...["GIT_SSL_NO_VERIFY", "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION", "ADAL_PYTHON_SSL_NO_VERIFY"].map(
    (name) => [name, /(?!)/] as const,
  ),
  ["BUNDLE_SSL_VERIFY_MODE", /^peer$/i],
  ["DENO_TLS_CA_STORE", /^(?:mozilla|system)(?:,(?:mozilla|system))*$/],
]);

/**
 * The variables that name certificate authorities, or files with such settings. The names are in capital letters, because npm, pip
 * and others ignore the case.
 */
const AUTHORITY_NAMES: ReadonlySet<string> = new Set(
  [
    ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CA_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"],
    ["NODE_EXTRA_CA_CERTS", "DENO_CERT", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NIX_SSL_CERT_FILE"],
    ["GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_SSL_CAINFO", "HTTPLIB2_CA_CERTS", "HTTPS_CA_FILE", "HTTPS_CA_DIR"],
    ["PERL_LWP_SSL_CA_FILE", "PERL_LWP_SSL_CA_PATH", "WEBSOCKET_CLIENT_CA_BUNDLE", "HEX_CACERTS_PATH"],
    ["NPM_CONFIG_CAFILE", "NPM_CONFIG_CA", "PNPM_CONFIG_CAFILE", "PNPM_CONFIG_CA", "YARN_CAFILE", "YARN_CA"],
    ["YARN_CA_FILE_PATH", "YARN_HTTPS_CA_FILE_PATH", "PIP_CERT", "PIP_TRUSTED_HOST", "PIP_CONFIG_FILE"],
    ["UV_INSECURE_HOST", "UV_CONFIG_FILE", "CARGO_HTTP_CAINFO", "CARGO_HTTP_PROXY_CAINFO", "BUNDLE_SSL_CA_CERT"],
    ["VAULT_CACERT", "VAULT_CAPATH", "VAULT_CACERT_BYTES", "CONSUL_CACERT", "CONSUL_CAPATH", "NOMAD_CACERT"],
    ["NOMAD_CAPATH", "HELM_KUBECAFILE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "HOMEBREW_CURLRC", "COMPOSER_CAFILE"],
    // Programs write their session keys to this file. Its readers can decrypt all connections.
    ["SSLKEYLOGFILE"],
  ].flat(),
);

/** Returns a name as `AUTHORITY_NAMES` and `SAFE_VALUES_OF_SWITCHES` write it. */
function normalizedName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}

/** Returns true if a variable of this name decides how programs connect. `decidesNetwork` also checks the value. */
export function mayDecideNetwork(name: string): boolean {
  return (
    PROXY_NAME.test(name) ||
    AUTHORITY_NAMES.has(normalizedName(name)) ||
    SAFE_VALUES_OF_SWITCHES.has(normalizedName(name))
  );
}

/** Returns true if the variable sends connections through another machine, or changes which certificates programs trust. */
export function decidesNetwork(name: string, value: string): boolean {
  const text = value.trim();
  // Git turns verification off even if this variable is empty. All other variables count as unset then.
  if (text === "") return name === "GIT_SSL_NO_VERIFY";
  if (!mayDecideNetwork(name)) return false;
  if (PROXY_NAME.test(name)) return !isOnThisMachine(text);
  return SAFE_VALUES_OF_SWITCHES.get(normalizedName(name))?.test(text) !== true;
}

/** Matches a proxy with or without a scheme, in which all parsers find the same host. Its group is the host. */
const PLAIN_PROXY = /^(?:(?:https?|socks[45]?[ah]?):\/\/)?([\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?\/?$/i;

function isOnThisMachine(proxy: string): boolean {
  const host = PLAIN_PROXY.exec(proxy)?.[1];
  return host !== undefined && isLoopback(host.toLowerCase());
}

/** All listed names, and the pattern of proxies. A test needs them, and so does the generator of `suspect-names.ts`. */
export const NETWORK_NAMES: readonly string[] = [...AUTHORITY_NAMES, ...SAFE_VALUES_OF_SWITCHES.keys()];
export const NETWORK_FORMS: readonly RegExp[] = [PROXY_NAME];
