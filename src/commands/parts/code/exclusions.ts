/** Decides which variables no contract declares, although code reads them or files set them. */
import { isOfRunner } from "../../../contract/actions-runner.ts";
import { isOwnVariable } from "../../../resolve/reserved-names.ts";

/** Variables that the system, language runtimes and tools set or read, and not the program. */
const SYSTEM_VARIABLE =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TEMP|TMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LC_\w+|TZ|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|CI|NODE_(?:ENV|OPTIONS|PATH|EXTRA_CA_CERTS|DEBUG|CHANNEL_FD|\w*COMPILE_CACHE)|LISTEN_(?:FDS|PID|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_\w+|CREDENTIALS_DIRECTORY|PYTHON\w+|VIRTUAL_ENV|APPDATA|LOCALAPPDATA|USERPROFILE|SystemRoot|ComSpec|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|npm_\w+|XDG_\w+|PULUMI_(?:BACKEND_URL|DEFAULT_ORGANIZATION)|DOTENV_(?:PUBLIC_|PRIVATE_)?KEY\w*|DOTENV_VAULT\w*|CARGO\w*|OUT_DIR|RUST_(?:LOG|BACKTRACE)|RUSTFLAGS|GO(?:PATH|ROOT|OS|ARCH|BIN|FLAGS|MAXPROCS|MEMLIMIT|DEBUG|GC)|COMPOSE_\w+|DOCKER_(?:HOST|CONFIG|BUILDKIT)|VITEST\w*|BASE_URL|MODE|DEV|PROD|SSR)$/;

/** Returns the reason why no contract declares a variable, as part of a sentence; undefined if a contract may declare it. */
export function exclusionOf(name: string): string | undefined {
  if (!/^[A-Za-z_]\w{0,254}$/.test(name)) return "no name of a variable";
  if (name.startsWith("SOPHIA_") || isOwnVariable(name)) return "of sophia-run";
  return SYSTEM_VARIABLE.test(name) || isOfRunner(name) ? "of the system, runtimes, tools or CI" : undefined;
}
