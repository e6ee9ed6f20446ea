/** Which variables of files with a reserved name are reported. */
import { expect, test } from "vitest";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

/** Returns the names of the withheld variables that a start with this `.env` file reports. */
async function reportedNames(dotenv: string): Promise<readonly string[]> {
  const { verdict } = await runStages(folder({ ".env": dotenv }), new Map());
  return verdict.notices.flatMap((notice) => (notice.kind === "withheld" ? notice.names : []));
}

test("a reserved name in a file is reported, unless its value is empty", async () => {
  expect(await reportedNames("SOPHIA_BROKER_SOCKET=/tmp/socket\n")).toEqual(["SOPHIA_BROKER_SOCKET"]);
  expect(await reportedNames("SOPHIA_BROKER_SOCKET=\n")).toEqual([]);
});
