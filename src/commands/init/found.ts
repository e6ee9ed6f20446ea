/** A variable that may belong into the contract, and what is known of it. */
export interface Found {
  readonly name: string;
  readonly required: boolean;
  readonly description?: string;
  /** Shown to everybody who reads the contract: never a value that may be a real secret. */
  readonly example?: string;
  readonly secret?: boolean;
}

/** Variables of the system, of Node.js, of CI and of sophia-run itself: no contract of a repository speaks of them. */
const FOREIGN =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TEMP|TMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LC_\w+|TZ|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|CI|NODE_ENV|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|PYTHON\w+|VIRTUAL_ENV|APPDATA|LOCALAPPDATA|USERPROFILE|SystemRoot|ComSpec|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|npm_\w+|XDG_\w+|SOPHIA_(?:ENV_FILE|PREFER|REQUIRE_ESC|TIMEOUT|INSECURE_HTTP|FAKE|CONTRACT|PROFILE|NO_CONTRACT|KEEP_ESC|ONLY_DECLARED|PRISTINE|INCLUDE|EXCLUDE|MODE|KILL_AFTER|DIE_WITH_LAUNCHER|RESTORE_NOFILE|QUIET|VERBOSE)|ESC_(?:ENV|TOKEN|TOKEN_FILE|ORG|OIDC_\w+)|PULUMI_(?:BACKEND_URL|DEFAULT_ORGANIZATION)|GITHUB_(?:ACTIONS|ENV|OUTPUT|SHA|REF|REF_NAME|REPOSITORY|WORKSPACE|RUN_ID|ACTOR|EVENT_NAME|STEP_SUMMARY)|RUNNER_\w+|BASE_URL|MODE|DEV|PROD|SSR)$/;

/** Whether a name can stand in a contract and is the repository's own. */
export function isCandidate(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !FOREIGN.test(name);
}

/** Whether a name says that its value is secret. */
export function soundsSecret(name: string): boolean {
  return /(?:^|_)(?:KEY|KEYS|TOKEN|SECRET|SECRETS|PASS|PASSWORD|PASSWD|PAT|CREDENTIAL|CREDENTIALS|PRIVATE|DSN|AUTH|COOKIE|SIGNATURE|SALT)(?:_|$)/i.test(
    name,
  );
}

/** Joins what several places tell of the same variables: required where any says so, the first description counts. */
export function join(lists: readonly (readonly Found[])[]): readonly Found[] {
  const joined = new Map<string, Found>();
  for (const found of lists.flat()) {
    const earlier = joined.get(found.name);
    joined.set(found.name, {
      ...found,
      ...earlier,
      required: found.required || (earlier?.required ?? false),
    });
  }
  return [...joined.values()];
}
