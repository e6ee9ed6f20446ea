/**
 * Prints notices about git in a program with `--broker`. git reaches GitHub through the broker, by settings that sophia-run adds
 * for the program. Some settings of the user prevent that (`insteadOf`), and some must be changed for the program (`NO_PROXY`).
 */
import { findEntriesAgainstGit } from "../../../broker/broker-variables.ts";
import { type GitAccess, listRemotePrefixes } from "../../../broker/git-access.ts";
import type { Context } from "../../../core/context.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { printLines } from "../../../output/stderr.ts";
import { GitRefusal, readGitRecords } from "../../../access/git-command.ts";

/** Prints the notices. @param accesses the hosts of brokered tokens @param environment the program's variables without the broker */
export async function printGitNotices(
  accesses: readonly GitAccess[],
  environment: Environment,
  context: Context,
): Promise<void> {
  if (accesses.length === 0) return;
  const hosts = accesses.map(({ host }) => host);
  printProxyNotice(hosts, environment, context);
  for (const { remote, replacement } of await findReplacedRemotes(accesses, environment, context)) {
    const shownRemote = maskCredentials(remote);
    const shownReplacement = maskCredentials(replacement);
    const text = `git goes from ${shownRemote} to ${shownReplacement} by a setting of the user (insteadOf), without the broker`;
    printLines(context, [text]);
  }
}

function printProxyNotice(hosts: readonly string[], environment: Environment, context: Context): void {
  const shownHosts = enumerateFew(hosts.map(printable), 5);
  const entries = findEntriesAgainstGit(environment, hosts);
  if (entries.includes("*")) {
    printLines(context, [
      `the program gets no NO_PROXY=* and no proxy: git reaches ${shownHosts} by the broker, as its proxy`,
    ]);
  } else if (entries.length > 0) {
    const removedEntries = enumerateFew(entries.map(printable), 5);
    printLines(context, [
      `NO_PROXY of the program is without ${removedEntries}: git reaches ${shownHosts} by the broker, as its proxy`,
    ]);
  }
}

/** Masks a token that the user has written into an address: `https://x-access-token:TOKEN@github.com/`. */
function maskCredentials(address: string): string {
  return printable(address.replaceAll(/\/\/(?!git@)[^/]*@/g, "//***@"));
}

/** Matches the variables by which git finds its settings. The git that this file starts gets no others, which may be secrets. */
const GIT_VARIABLES = /^(?:GIT_.*|PATH|HOME|XDG_CONFIG_HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|PROGRAMDATA|SYSTEMROOT)$/i;

/** A setting by which git replaces the beginning of a remote. */
interface ReplacedRemote {
  readonly remote: string;
  readonly replacement: string;
}

/**
 * Returns the user's `insteadOf` settings that git prefers to those of the broker, because they are as long or longer. git prints
 * each as a record, and replaces the second line by the text between `url.` and `.insteadof`:
 *
 *     url.ssh://git@github.com/.insteadof
 *     https://github.com/
 */
async function findReplacedRemotes(
  accesses: readonly GitAccess[],
  environment: Environment,
  { cwd }: Context,
): Promise<readonly ReplacedRemote[]> {
  const args = ["config", "-z", "--get-regexp", String.raw`^url\..*\.(insteadof|pushinsteadof)$`];
  const gitEnvironment = new Map([...environment].filter(([name]) => GIT_VARIABLES.test(name)));
  const brokeredRemotes = accesses.flatMap(listRemotePrefixes);
  const replacedRemotes: ReplacedRemote[] = [];
  try {
    for await (const record of readGitRecords({ cwd, environment: gitEnvironment }, args)) {
      const [, replacement, remote] = /^url\.(.*)\.(?:push)?insteadof\n(.*)$/s.exec(record.toString()) ?? [];
      if (replacement === undefined || remote === undefined) continue;
      // git replaces a remote once. So it does not apply the broker's setting to a replacement that begins with a brokered remote.
      const bypassesBroker = brokeredRemotes.some(
        (brokered) => remote.startsWith(brokered) || replacement.startsWith(brokered),
      );
      if (bypassesBroker) replacedRemotes.push({ remote, replacement });
    }
  } catch (error) {
    // git is not installed, or has no such setting (it then exits with 1). In both cases it cannot bypass the broker.
    if (!(error instanceof GitRefusal)) throw error;
  }
  return replacedRemotes;
}
