/** The executable leaves the IPC channel of a Node.js parent to the program, and does not relay the messages. */
import { spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { executable, noExecutable } from "../../helpers/executables.ts";
import { withoutProc } from "../../helpers/without-proc.ts";

skipBecause(noExecutable);

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

const launchArguments = (options: readonly string[], ...command: readonly string[]): readonly string[] => [
  "--no-contract",
  ...options,
  "--",
  ...command,
];

test.each(OPTIONS)("the executable passes on the caller's own IPC channel $options", async ({ options }) => {
  const caller = 'readlink /proc/$$/fd/4; exec "$0" "$@"';
  const program = 'readlink /proc/$$/fd/4; echo "$NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE"';
  const stdio: StdioOptions = ["ignore", "pipe", "inherit", "ignore", "ipc"];
  const shellArguments = ["-c", caller, executable, ...launchArguments(options, "sh", "-c", program)];
  const child = spawn("sh", shellArguments, { env, stdio, serialization: "advanced" });
  if (child.stdout === null) throw new Error("no standard output");
  const [callers = "", ...programs] = (await text(child.stdout)).split("\n");
  expect(callers).toMatch(/^socket:/);
  expect(programs).toStrictEqual([callers, "4 advanced", ""]);
});

test.each(OPTIONS)(
  "the parent gets the disconnect of a program that continues to run $options",
  async ({ options }) => {
    // The program ends when its standard input ends.
    const program = 'process.disconnect(); process.stdin.resume().on("end", () => process.exit(5))';
    const executableArguments = launchArguments(options, process.execPath, "-e", program);
    const child = spawn(executable, executableArguments, {
      env,
      cwd: folder(),
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    await once(child, "disconnect");
    child.stdin?.end();
    expect(await once(child, "exit")).toStrictEqual([5, null]);
  },
);

test("the executable passes no channel on if the caller has none, or an empty variable for it", async () => {
  for (const variables of [{}, { NODE_CHANNEL_FD: "" }]) {
    const executableArguments = launchArguments(["--pristine"], "sh", "-c", 'echo "${NODE_CHANNEL_FD-none}"');
    const child = spawn(executable, executableArguments, {
      env: { ...env, ...variables },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await text(child.stdout)).toBe("none\n");
  }
});

test("masking leaves a channel in place of the standard output alone, even without /proc", async ({ skip }) => {
  const [file, ...prefix] = withoutProc() ?? skip("needs mount namespaces");
  const executableArguments = launchArguments(
    ["--redact=always"],
    process.execPath,
    "-e",
    'process.send("whole", () => process.disconnect())',
  );
  const child = spawn(file, [...prefix, executable, ...executableArguments], {
    env,
    stdio: ["ignore", "ipc", "inherit"],
  });
  const message = once(child, "message");
  expect([await message, await once(child, "exit")]).toStrictEqual([
    ["whole", undefined],
    [0, null],
  ]);
});
