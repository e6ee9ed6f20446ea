/**
 * Credentials in values, by their known forms; pure. Randomness does not count: a commit hash, an identifier or a public
 * key looks as random as a secret. Linear in the length of a value: each form has a fixed beginning, which the engine
 * searches, and behind it a pattern of limited length.
 */

/**
 * Beginnings of tokens, each with the least that must follow. A beginning stands at the start of a word. Public ones are
 * not listed: `pk_live_` (Stripe, Clerk), `pk.` (Mapbox), `sb_publishable_`, `phc_`, `sq0idp-`.
 */
const TOKENS: readonly (readonly [beginning: string, rest: string])[] = [
  ["ghp_", "\\w{30}"],
  ["gho_", "\\w{30}"],
  ["ghu_", "\\w{30}"],
  ["ghs_", "\\w{30}"],
  ["ghr_", "\\w{30}"],
  ["github_pat_", "\\w{30}"],
  ["glpat-", "[\\w-]{20}"],
  ["gldt-", "[\\w-]{20}"],
  ["glrt-", "[\\w-]{20}"],
  ["glptt-", "[\\w-]{20}"],
  ["glcbt-", "[\\w-]{20}"],
  ["glsoat-", "[\\w-]{20}"],
  ["ATBB", "\\w{24}"],
  ["ATATT3", "[\\w=-]{50}"],
  ["ATCTT3", "[\\w=-]{50}"],
  ["xox", "[a-z](?:\\.xox[a-z])?-[\\w%-]{10}"],
  ["xapp-", "\\d-[A-Z\\d]{8}"],
  ["sk_", "(?:(?:live|test|prod)_\\w{10}|[\\da-f]{40})"],
  ["rk_", "(?:live|test|prod)_\\w{10}"],
  ["whsec_", "[\\w+/=]{16}"],
  ["sq0atp-", "[\\w-]{20}"],
  ["sq0csp-", "[\\w-]{20}"],
  ["shpat_", "[\\da-fA-F]{32}"],
  ["shpca_", "[\\da-fA-F]{32}"],
  ["shppa_", "[\\da-fA-F]{32}"],
  ["shpss_", "[\\da-fA-F]{32}"],
  ["EAAA", "[\\w-]{56}"],
  ["EAA", "[A-Za-z\\d]{60}"],
  ["AKIA", "[A-Z2-7]{16}(?!\\w)"],
  ["ASIA", "[A-Z2-7]{16}(?!\\w)"],
  ["ABSK", "[\\w+/=]{60}"],
  ["LTAI", "[A-Za-z\\d]{12,26}(?!\\w)"],
  ["AIza", "[\\w-]{35}"],
  ["GOCSPX-", "[\\w-]{20}"],
  ["ya29.", "[\\w-]{20}"],
  ["1//0", "[\\w-]{30}"],
  ["sk-", "(?:[A-Za-z\\d]{20}|(?:proj|ant|or|svcacct|admin|lf|None)-[\\w-]{16})"],
  ["hf_", "[A-Za-z]{30}"],
  ["api_org_", "[A-Za-z]{30}"],
  ["gsk_", "[A-Za-z\\d]{40}"],
  ["csk-", "[a-z\\d]{40}"],
  ["xai-", "[A-Za-z\\d]{40}"],
  ["tvly-", "[\\w-]{20}"],
  ["pplx-", "[A-Za-z\\d]{30}"],
  ["nvapi-", "[\\w-]{40}"],
  ["r8_", "[A-Za-z\\d]{30}"],
  ["rpa_", "[A-Z\\d]{30}"],
  ["fw_", "[A-Za-z\\d]{20}"],
  ["fc-", "[\\da-f]{32}"],
  ["e2b_", "[\\da-f]{30}"],
  ["jina_", "[A-Za-z\\d]{40}"],
  ["pcsk_", "\\w{40}"],
  ["lsv2_", "(?:pt|sk)_[\\da-f]{32}"],
  ["ls__", "[\\da-f]{32}"],
  ["apify_api_", "[A-Za-z\\d]{30}"],
  ["npm_", "[A-Za-z\\d]{30}"],
  ["pypi-A", "[\\w-]{30}"],
  ["rubygems_", "[\\da-f]{40}"],
  ["cio", "[A-Za-z\\d]{32}(?!\\w)"],
  ["oy2", "[a-z\\d]{43}(?!\\w)"],
  ["dckr_pat_", "[\\w-]{20}"],
  ["dckr_oat_", "[\\w-]{20}"],
  ["dop_v1_", "[\\da-f]{40}"],
  ["doo_v1_", "[\\da-f]{40}"],
  ["dor_v1_", "[\\da-f]{40}"],
  ["SG.", "[\\w-]{16,32}\\.[\\w-]{16}"],
  ["SK", "[\\da-f]{32}(?!\\w)"],
  ["key-", "[\\da-f]{32}"],
  ["re_", "[A-Za-z\\d]{8}_[A-Za-z\\d]{16}"],
  ["sntrys_", "[\\w+/=-]{30}"],
  ["sntryu_", "[\\w+/=-]{30}"],
  ["pul-", "[\\da-f]{32}"],
  ["vcp_", "\\w{20}"],
  ["vck_", "\\w{20}"],
  ["nfp_", "\\w{30}"],
  ["rnd_", "[A-Za-z\\d]{20}"],
  ["HRKU-", "[\\w-]{30}"],
  ["FlyV1 ", "\\w{10}"],
  ["fm2_", "[\\w+/=]{40}"],
  ["fo1_", "[\\w-]{30}"],
  ["tskey-", "[a-z]{3,8}-[\\w-]{10}"],
  ["lin_api_", "\\w{30}"],
  ["lin_oauth_", "\\w{30}"],
  ["ntn_", "[A-Za-z\\d]{40}"],
  ["secret_", "[A-Za-z\\d]{40}"],
  ["figd_", "[\\w-]{30}"],
  ["phx_", "\\w{30}"],
  ["glsa_", "\\w{32}"],
  ["glc_eyJ", "\\w{20}"],
  ["NRAK-", "[A-Z\\d]{20}"],
  ["dapi", "[\\da-f]{32}"],
  ["hvs.", "[\\w-]{20}"],
  ["hvb.", "[\\w-]{20}"],
  ["hvr.", "[\\w-]{20}"],
  ["PMAK-", "[\\da-f]{24}-[\\da-f]{30}"],
  ["sbp_", "[\\da-f]{40}"],
  ["sb_secret_", "[\\w-]{20}"],
  ["pscale_", "(?:tkn|pw|oauth)_[\\w.=-]{30}"],
  ["dp.", "(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{30}"],
  ["ops_eyJ", "[\\w-]{30}"],
  ["AGE-SECRET-KEY-1", "[A-Z\\d]{50}"],
  ["sgp_", "[\\da-f_]{40}"],
  ["CCIPAT_", "\\w{20}"],
  ["signkey-", "[a-z]{3,12}-[\\da-f]{32}"],
  ["v1.0-", "[\\da-f]{24}-[\\da-f]{100}"],
  ["sk.eyJ", "[\\w-]{20}"],
];

/** Credentials that no word's start precedes, each in words. A URL that needs no further credential is one. */
const ANYWHERE: readonly (readonly [beginning: string, rest: string, words: string])[] = [
  ["hooks.slack.com/", "(?:services|workflows|triggers)/[\\w/-]{16}", "the address of a webhook"],
  ["/api/webhooks/", "\\d{15,21}/[\\w-]{30}", "the address of a webhook"],
  [".webhook.office.com/", "webhookb2/[\\w@/-]{30}", "the address of a webhook"],
  ["hooks.zapier.com/", "hooks/catch/\\d{3,12}/\\w{4}", "the address of a webhook"],
  ["maker.ifttt.com/", "trigger/[\\w-]{1,64}/(?:json/)?with/key/[\\w-]{10}", "the address of a webhook"],
  ["api.telegram.org/bot", "\\d{8,12}:[\\w-]{30}", "the address of a bot"],
  [".atlasv1.", "[\\w-]{40}", "a token (….atlasv1.…)"],
  ["_authToken=", "[^\\s$]{8}", "a token (_authToken=…)"],
  ["_auth=", "[^\\s$]{8}", "a password (_auth=…)"],
  ['"auth"', '\\s{0,9}:\\s{0,9}"[\\w+/=-]{8}', "a password of a registry"],
  ["Bearer ", "[\\w.~+/-]{20}", "an Authorization header"],
  ["Basic ", "[\\w+/]{20}", "an Authorization header"],
  ["PRIVATE KEY", "(?: BLOCK)?-----", "a private key"],
  ["machine ", "\\S{1,253}\\s{1,9}login\\s{1,9}\\S{1,128}\\s{1,9}password\\s", "a password of .netrc"],
  ["PuTTY-User-Key-File-", "\\d", "a private key"],
  // Base64 of `-----BEGIN PRIVATE`, `RSA `, `EC `, `OPENSSH` and `ENCRYPTED`.
  ["LS0tLS1CRUdJTi", "B(?:QUklWQVRF|SU0Eg|FQyB|PUEVOU1NI|FTkNSWVBURU)", "a private key in base64"],
  // Base64 of `{"type":"service_account`, compact and indented.
  ["eyJ0eXBlIjoic2VydmljZV9hY2NvdW50", "", "a private key in base64"],
  ["ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3VudC", "", "a private key in base64"],
];

/** Credentials whose beginning says nothing: the whole value has this form. */
const WHOLE: readonly (readonly [form: RegExp, words: string])[] = [
  [/^\d{8,12}:[\w-]{35}$/, "a bot's token"],
  [/^[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}$/, "a bot's token"],
  [/^[\da-f]{32}-us\d{1,2}$/, "a key"],
  [/^[\da-f]{32}-[\da-f]{8}-[\da-f]{8}$/, "a key"],
  [/^pat[A-Za-z\d]{14}\.[\da-f]{64}$/, "a token (pat…)"],
  [/^s\.[A-Za-z\d]{24}$/, "a token (s.…)"],
  [/^[\w.~-]{3}\dQ~[\w.~-]{31,34}$/, "a client secret"],
  [/^\$(?:2[abxy]|argon2(?:id|i|d)|[156y]|scrypt|apr1)\$[\w./+=,$-]{20,300}$/, "the hash of a password"],
  [/^(?:Authorization: ?)?(?:Basic|Bearer|Token) [\w.~+/=-]{12,4096}$/i, "an Authorization header"],
];
const LONGEST_WHOLE = 4200;

/** A user and a password in front of a host without a scheme, as in `user:password@tcp(host:3306)/name`. */
const USER_AND_PASSWORD =
  /^(?!(?:mailto|sips?|xmpp|acct|npm|jsr|git):)[^\s:@/"']{1,256}:[^\s@/"']{1,256}@(?!sha\d+:)[a-z\d[(]/i;
const ORACLE = /^jdbc:oracle:thin:[^/@\s]{1,128}\/[^@\s]{1,256}@/i;

/** Names of passwords in connection strings (ADO.NET, ODBC, JDBC, libpq, Azure) and options, also as the end of a name. */
const PASSWORDS: readonly string[] =
  "password passwd passphrase secretkey accesskey accountkey secret_key access_key private_key".split(" ");
/** Names of passwords in the same and in the queries of URLs. */
const SHORT_NAMES: readonly string[] = "pwd pass secret token signature sig api_key api-key apikey".split(" ");
/** Names in the queries of URLs only: elsewhere they are common words. */
const KEYS_IN_QUERIES: readonly string[] = ["key", "auth", "code"];

const JSON_WEB_TOKEN = /eyJ[\w-]{8,4096}\.eyJ[\w-]{8,16384}\.[\w-]{10}/y;

/** Returns the credential in a value in words, such as `a token (ghp_…)`; none of the value beyond its known beginning. */
export function credentialIn(value: string): string | undefined {
  if (value.length < 16 && !/[@=]/.test(value)) return undefined;
  const trimmed = value.trim();
  const whole = trimmed.length > LONGEST_WHOLE ? undefined : WHOLE.find(([form]) => form.test(trimmed));
  return whole?.[1] ?? byBeginning(value) ?? passwordIn(trimmed);
}

function byBeginning(value: string): string | undefined {
  for (const [beginning, rest] of TOKENS) {
    if (isIn(value, beginning, rest, NOT_IN_WORD)) return `a token (${beginning.trim()}…)`;
  }
  const found = ANYWHERE.find(([beginning, rest]) => isIn(value, beginning, rest));
  if (found !== undefined) return found[2];
  return isMatched(value, "eyJ", JSON_WEB_TOKEN, NOT_IN_WORD) ? "a JSON Web Token" : undefined;
}

function passwordIn(value: string): string | undefined {
  const isUrl = value.includes("://");
  if (isUrl && holdsUser(value)) return "a URL with a user name or password";
  if (ORACLE.test(value)) return "a connection string with a password";
  const lower = value.toLowerCase();
  const assigned = /[\r\n]/.test(value) ? ASSIGNED_IN_LINES : ASSIGNED;
  const isNamed =
    PASSWORDS.some((name) => isIn(lower, name, assigned)) ||
    SHORT_NAMES.some((name) => isIn(lower, name, assigned, NOT_IN_NAME));
  if (isNamed) return "text with a password or token";
  if (isUrl && KEYS_IN_QUERIES.some((name) => isIn(lower, name, "=[^\\s&#]{8}", IN_QUERY))) return "a URL with a key";
  return USER_AND_PASSWORD.test(value) ? "a user name and password" : undefined;
}

/** `name=value` and `"name": "value"`. */
const ASSIGNED = `(?:\\s{0,9}=\\s{0,9}["']?[^;\\s&"',]|"\\s{0,9}:\\s{0,9}"[^"])`;
/** Also YAML: in one line it would be a sentence (`Password: required`). */
const ASSIGNED_IN_LINES = `(?:${ASSIGNED}|:[ \\t]{1,9}["']?[^\\s"'])`;

/** A user alone, or a password. This may have a `/`, which is not one behind a port: `://host:80/@x`. */
const PASSWORD = "[^/?#\\s:@\"']{0,512}:(?:[^/?#\\s@\"']{1,2048}|(?!\\d{1,5}[/?#])[^\\s:@\"']{1,2048})@";
const USER_WITH_PASSWORD = new RegExp(`://${PASSWORD}`, "y");
const USER = new RegExp(`://(?:[^/?#\\s:@"']{1,2048}@|${PASSWORD})`, "y");

/** The user of these schemes is not secret: `ssh://git@host`. */
const LOGIN = /(?:ssh|sftp|scp|rsync|svn|git)$/i;

function holdsUser(value: string): boolean {
  for (let at = value.indexOf("://"); at !== -1; at = value.indexOf("://", at + 3)) {
    const pattern = LOGIN.test(value.slice(Math.max(0, at - 10), at)) ? USER_WITH_PASSWORD : USER;
    pattern.lastIndex = at;
    if (pattern.test(value)) return true;
  }
  return false;
}

/** The character before a beginning. */
const NOT_IN_WORD = /[^\w-]/;
const NOT_IN_NAME = /[^a-z\d]/;
const IN_QUERY = /[?&]/;

/** Compiles the pattern only for a value with the beginning: few have one. @param before may also be the value's start */
function isIn(value: string, beginning: string, rest: string, before?: RegExp): boolean {
  const pattern = (): RegExp => new RegExp(beginning.replaceAll(".", "\\.") + rest, "y");
  return value.includes(beginning) && isMatched(value, beginning, pattern(), before);
}

function isMatched(value: string, beginning: string, pattern: RegExp, before?: RegExp): boolean {
  for (let at = value.indexOf(beginning); at !== -1; at = value.indexOf(beginning, at + beginning.length)) {
    if (before !== undefined && at > 0 && !before.test(value.charAt(at - 1))) continue;
    pattern.lastIndex = at;
    if (pattern.test(value)) return true;
  }
  return false;
}
