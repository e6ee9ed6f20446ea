/** Searches git's index, which is the content of the next commit. */
import { runGit, readGitRecords, type Git } from "../../access/git-command.ts";
import {
  GITLINK_MODE,
  MISSING_TYPE,
  requireRepository,
  searchGitObjects,
  readGitOutput,
  runDespiteGitRefusal,
} from "./git-objects.ts";
import { NameSearch } from "./scanned-names.ts";
import type { SecretSearch } from "./secret-search.ts";

/** Searches the contents and the names of the files in the index. @throws SophiaError (git, 125) if there is no repository */
export async function scanIndex(search: SecretSearch, git: Git, paths: readonly string[]): Promise<void> {
  const listCommand = ["ls-files", "-z", "--stage", "--", ...paths];
  const names = new NameSearch(search);
  /** The names of the objects that git has not answered yet, in the order of the requests. */
  const pendingNames: Buffer[] = [];
  /** Requests the objects one by one. A record of the list is `MODE OBJECT STAGE<tab>NAME`. */
  const requestObjects = async function* (): AsyncGenerator<string> {
    for await (const record of readGitRecords(git, listCommand)) {
      const tab = record.indexOf("\t");
      const [mode, object] = record.subarray(0, tab).toString().split(" ");
      if (mode === GITLINK_MODE || object === undefined) continue;
      const name = Buffer.from(record.subarray(tab + 1));
      pendingNames.push(name);
      names.add(name, { within: "name" });
      yield `${object}\n`;
    }
  };
  // The list is made once before: in the pipe below its failure would be lost.
  await requireRepository(() => readGitOutput(git, listCommand));
  const output = runGit(git, ["cat-file", "--batch", "--buffer"], requestObjects());
  await runDespiteGitRefusal(search, () =>
    searchGitObjects(search, output, ({ type, contentFindings }) => {
      const name = pendingNames.shift() ?? Buffer.alloc(0);
      if (type === MISSING_TYPE) search.addUnreadFile(name, "git's object is missing");
      else if (contentFindings.findings.length > 0)
        search.addFindings({ file: search.maskName(name) }, contentFindings);
    }),
  );
  names.flush();
}
