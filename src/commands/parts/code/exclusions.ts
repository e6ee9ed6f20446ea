/**
 * Decides which variables do not belong in a contract, although code reads them or `.env` files set them. `init` leaves these
 * variables out, and `check --code` does not report that they are undeclared.
 */
import { isOfRunner } from "../../../contract/actions-runner.ts";
import { isOwnVariable } from "../../../resolve/reserved-names.ts";

/** Variables that the system, language runtimes and tools set or read, rather than the program. */
const SYSTEM_VARIABLE =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TEMP|TMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LC_\w+|TZ|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|CI|NODE_(?:ENV|OPTIONS|PATH|EXTRA_CA_CERTS|DEBUG|CHANNEL_FD|\w*COMPILE_CACHE)|LISTEN_(?:FDS|PID|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_\w+|CREDENTIALS_DIRECTORY|PYTHON\w+|VIRTUAL_ENV|APPDATA|LOCALAPPDATA|USERPROFILE|SystemRoot|ComSpec|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|npm_\w+|XDG_\w+|PULUMI_(?:BACKEND_URL|DEFAULT_ORGANIZATION)|DOTENV_(?:PUBLIC_|PRIVATE_)?KEY\w*|DOTENV_VAULT\w*|CARGO\w*|OUT_DIR|RUST_(?:LOG|BACKTRACE)|RUSTFLAGS|GO(?:PATH|ROOT|OS|ARCH|BIN|FLAGS|MAXPROCS|MEMLIMIT|DEBUG|GC)|COMPOSE_\w+|DOCKER_(?:HOST|CONFIG|BUILDKIT)|VITEST\w*|BASE_URL|MODE|DEV|PROD|SSR)$/;

/**
 * Returns why a variable does not belong in a contract, as a phrase for a message: `of sophia-run`. Returns undefined if a contract
 * may declare the variable.
 */
export function findExclusionReason(name: string): string | undefined {
  if (!/^[A-Za-z_]\w{0,254}$/.test(name)) return "no name of a variable";
  if (name.startsWith("SOPHIA_") || isOwnVariable(name)) return "of sophia-run";
  return SYSTEM_VARIABLE.test(name) || isOfRunner(name) ? "of the system, runtimes, tools or CI" : undefined;
}
