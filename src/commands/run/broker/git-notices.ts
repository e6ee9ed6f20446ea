/** Notices of what keeps git from the broker: settings of the user, which sophia-run does not change. */
import { entriesAgainstGit } from "../../../broker/broker-variables.ts";
import { type GitAccess, remotesOf } from "../../../broker/git-access.ts";
import type { Context } from "../../../core/context.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { printLines } from "../../../output/stderr.ts";
import { GitRefusal, recordsOfGit } from "../../../access/git-command.ts";

/** @param environment the program's, without the broker */
export async function noticeOfGit(
  accesses: readonly GitAccess[],
  environment: Environment,
  context: Context,
): Promise<void> {
  if (accesses.length === 0) return;
  const hosts = enumerateFew(
    accesses.map(({ host }) => printable(host)),
    5,
  );
  const entries = entriesAgainstGit(
    environment,
    accesses.map(({ host }) => host),
  );
  if (entries.includes("*")) {
    printLines(context, [
      `the program gets no NO_PROXY=* and no proxy: git reaches ${hosts} by the broker, as its proxy`,
    ]);
  } else if (entries.length > 0) {
    const removed = enumerateFew(entries.map(printable), 5);
    printLines(context, [
      `NO_PROXY of the program is without ${removed}: git reaches ${hosts} by the broker, as its proxy`,
    ]);
  }
  for (const { remote, instead } of await otherWays(accesses, environment, context)) {
    printLines(context, [
      `git goes from ${shown(remote)} to ${shown(instead)} by a setting of the user (insteadOf), without the broker`,
    ]);
  }
}

/** Users keep tokens in such addresses: `https://x-access-token:TOKEN@github.com/`. */
function shown(address: string): string {
  return printable(address.replaceAll(/\/\/(?!git@)[^/]*@/g, "//***@"));
}

/** Variables that git reads its settings by. The rest, with the real tokens, is not for a process of its own. */
const OF_GIT = /^(?:GIT_.*|PATH|HOME|XDG_CONFIG_HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|PROGRAMDATA|SYSTEMROOT)$/i;

interface OtherWay {
  readonly remote: string;
  readonly instead: string;
}

/** Returns the settings of the user that come before ours: those of the same length, or longer. */
async function otherWays(
  accesses: readonly GitAccess[],
  environment: Environment,
  { cwd }: Context,
): Promise<readonly OtherWay[]> {
  const args = ["config", "-z", "--get-regexp", String.raw`^url\..*\.(insteadof|pushinsteadof)$`];
  const passed = new Map([...environment].filter(([name]) => OF_GIT.test(name)));
  const ways: OtherWay[] = [];
  try {
    for await (const record of recordsOfGit({ cwd, environment: passed }, args)) {
      const [, instead, remote] = /^url\.(.*)\.(?:push)?insteadof\n(.*)$/s.exec(record.toString()) ?? [];
      if (instead === undefined || remote === undefined) continue;
      // git replaces the beginning of a remote once: what begins with our own is not replaced again.
      const isOurs = accesses.some((access) =>
        remotesOf(access).some((own) => remote.startsWith(own) || instead.startsWith(own)),
      );
      if (isOurs) ways.push({ remote, instead });
    }
  } catch (error) {
    // Without git, or without such a setting, git cannot go there.
    if (!(error instanceof GitRefusal)) throw error;
  }
  return ways;
}
