import { spawn } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { executable, noExecutable } from "../../helpers/executables.ts";
import { WATCH, startWatchedWorld } from "../../helpers/start-watched.ts";

const FORMS = [
  ["program under test", sophiaRun, undefined],
  ["executable", [executable], isStandalone ? "it is the program under test" : noExecutable],
] as const;

describe.each(FORMS)("%s", (_, [command, ...prefix], skipReason) => {
  skipBecause(skipReason);

  test("keeps the IPC channel to a Node.js parent open when --watch restarts the program", async () => {
    const watchScene = await startWatchedWorld();
    const script = `process.on("message", (word) => process.send([word, process.env.KEY])); process.send(["run", process.env.KEY]);`;
    const child = spawn(command, [...prefix, ...WATCH, "--", process.execPath, "-e", script], {
      cwd: watchScene.cwd,
      env: { ...watchScene.env },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const messages: unknown[] = [];
    const waitForMessages = (length: number): Promise<void> =>
      new Promise((resolve) => {
        const resolveIfComplete = (): void => void (messages.length >= length && resolve());
        child.on("message", resolveIfComplete);
        resolveIfComplete();
      });
    child.on("message", (message) => void messages.push(message));
    await waitForMessages(1);
    watchScene.setKey("two");
    await waitForMessages(2);
    child.send("word");
    await waitForMessages(3);
    expect(messages).toEqual([
      ["run", "one"],
      ["run", "two"],
      ["word", "two"],
    ]);
    child.disconnect();
  });
});
