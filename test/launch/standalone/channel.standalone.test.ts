/** The executable leaves the IPC channel of a parent in Node.js to the program: the two talk without it. */
import { spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { executable, notMade } from "../../helpers/standalone.ts";
import { withoutProc } from "../../helpers/without-proc.ts";

skipBecause(notMade);

const env = { PATH: process.env["PATH"], OPENAI_API_KEY: "sk-made-up-0123456789" };

const OPTIONS = [
  [],
  ["--mode", "exec"],
  ["--mode", "spawn"],
  ["--redact=always"],
  ["--broker", "-q"],
  ["--pristine"],
  ["--exclude", "NODE_*"],
].map((options) => ({ options }));

const launched = (options: readonly string[], ...command: readonly string[]): readonly string[] => [
  "--no-contract",
  ...options,
  "--",
  ...command,
];

test.each(OPTIONS)("the program has the caller's own channel $options", async ({ options }) => {
  const caller = 'readlink /proc/$$/fd/4; exec "$0" "$@"';
  const program = 'readlink /proc/$$/fd/4; echo "$NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE"';
  const stdio: StdioOptions = ["ignore", "pipe", "inherit", "ignore", "ipc"];
  const words = ["-c", caller, executable, ...launched(options, "sh", "-c", program)];
  const child = spawn("sh", words, { env, stdio, serialization: "advanced" });
  if (child.stdout === null) throw new Error("no standard output");
  const [callers = "", ...programs] = (await text(child.stdout)).split("\n");
  expect(callers).toMatch(/^socket:/);
  expect(programs).toStrictEqual([callers, "4 advanced", ""]);
});

test.each(OPTIONS)("the parent sees the disconnect of a program that goes on $options", async ({ options }) => {
  // The end of its input ends it.
  const program = 'process.disconnect(); process.stdin.resume().on("end", () => process.exit(5))';
  const words = launched(options, process.execPath, "-e", program);
  const child = spawn(executable, words, { env, cwd: folder(), stdio: ["pipe", "inherit", "inherit", "ipc"] });
  await once(child, "disconnect");
  child.stdin?.end();
  expect(await once(child, "exit")).toStrictEqual([5, null]);
});

test("without a channel, or with an empty variable, the program has what the caller has", async () => {
  for (const variables of [{}, { NODE_CHANNEL_FD: "" }]) {
    const words = launched(["--pristine"], "sh", "-c", 'echo "${NODE_CHANNEL_FD-none}"');
    const child = spawn(executable, words, { env: { ...env, ...variables }, stdio: ["ignore", "pipe", "inherit"] });
    expect(await text(child.stdout)).toBe("none\n");
  }
});

test("masking leaves the channel alone in place of the standard output, without /proc, too", async ({ skip }) => {
  const [file, ...prefix] = withoutProc() ?? skip("needs mount namespaces");
  const words = launched(
    ["--redact=always"],
    process.execPath,
    "-e",
    'process.send("whole", () => process.disconnect())',
  );
  const child = spawn(file, [...prefix, executable, ...words], { env, stdio: ["ignore", "ipc", "inherit"] });
  const message = once(child, "message");
  expect([await message, await once(child, "exit")]).toStrictEqual([
    ["whole", undefined],
    [0, null],
  ]);
});
