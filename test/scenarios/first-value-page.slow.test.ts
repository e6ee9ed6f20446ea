/** docs/first-value.md, from its own project on: its blocks in their order, in one shell at a terminal. */
import { chmodSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { sentinelOf, SENTINEL } from "../commands/sophia-environment.ts";
import { commandsOf } from "../../scripts/demo/transcript.ts";
import { startEscServer } from "../esc-server/index.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { npmEnvironment, packPackage } from "../helpers/pack.ts";
import { createLocalRepository } from "../helpers/local-repository.ts";
import { notPackage } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { startAtTerminal } from "../helpers/terminal.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/first-value.md"), "utf8");

/** Fetches nothing: the tarball of a release is the one of this checkout. */
const CURL = `#!/bin/sh
cp "$TARBALL" "$(basename "$2")"
`;

/** Creates the environment by the request of `pulumi env init`. */
const PULUMI = `#!/bin/sh
[ "$1 $2 $3" = "env init acme/sophia/dev" ] || exit 1
exec node -e '
fetch(process.env.PULUMI_BACKEND_URL + "/api/esc/environments/acme", {
  method: "POST",
  headers: { authorization: "token " + process.env.WRITER, "user-agent": "pulumi-cli/1 (v3)", accept: "application/vnd.pulumi+8", "content-type": "application/json" },
  body: JSON.stringify({ project: "sophia", name: "dev" }),
}).then(async (answer) => {
  if (!answer.ok) throw new Error(await answer.text());
  console.log("Environment created");
});'
`;

test("each block of the page about the first value works after the block before it, and prints what the page shows", async ({
  skip,
}) => {
  skip(notPackage !== undefined, notPackage);
  await using server = await startEscServer();
  const owner = { kind: "organization", organization: "acme" } as const;
  const { value: launcher } = server.addToken({ owner, access: "open" });
  const home = folder();
  const tarball = await packPackage(folder());
  const commands = folder({ curl: CURL, pulumi: PULUMI });
  for (const name of ["curl", "pulumi"]) chmodSync(join(commands, name), 0o755);

  const blocks = fencedBlocksOf(page);
  expect(blocks.every(({ language }) => language === "sh" || language === "console")).toBe(true);
  const script = blocks
    .map(({ language, text }) => (language === "sh" ? `set -e\n${text}set +e` : commandsOf(text).join("\n")))
    .join("\n");
  const value = `sk_${sentinelOf("key")}`;
  const environment = npmEnvironment(home);
  const shell = startAtTerminal(
    ["bash", "--norc", "-c", `stty -echo\n${script}`],
    {
      cwd: home,
      env: {
        ...environment,
        PATH: [commands, environment["PATH"]].join(delimiter),
        TARBALL: tarball,
        ...createLocalRepository(tarball),
        WRITER: server.token,
        PULUMI_BACKEND_URL: server.url,
      },
    },
    [
      // The questions of `init`: which further files, which variables are required, and the changes that it shows.
      ["or Enter for none:", "\n"],
      ["Enter for those with *", "\n"],
      ["Make th", "y\n"],
      ["Environment created", `${launcher}\n\u0004`],
      ["(not shown): ", `${server.token}\n`],
      ["(not shown): ", `${value}\n`],
      [" [y/N] ", "y\n"],
    ],
  );
  const { status, stdout } = await shell.finished;
  const terminalText = stdout.replaceAll("\r", "");
  expect(status, terminalText).toBe(0);
  let rest = terminalText;
  for (const { language, text } of blocks.filter((block) => block.language === "console")) {
    const output = text
      .split("\n")
      .filter((line) => !line.startsWith("$ "))
      .join("\n")
      .replace("38 characters", `${value.length} characters`);
    expect(rest, language).toContain(output);
    rest = rest.slice(rest.indexOf(output) + output.length);
  }
  expect(rest).toContain("✅ All checks passed! Configuration loaded from ESC and .env");
  for (const secret of [SENTINEL, launcher, server.token]) expect(terminalText).not.toContain(secret);
});
