import { spawn } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { executable, notMade } from "../../helpers/standalone.ts";
import { WATCH, startWatchedWorld } from "../../helpers/watching.ts";

const FORMS = [
  ["program under test", sophiaRun, undefined],
  ["executable", [executable], isStandalone ? "it is the program under test" : notMade],
] as const;

describe.each(FORMS)("%s", (_, [command, ...prefix], why) => {
  skipBecause(why);

  test("the channel to a Node.js parent stays from program to program", async () => {
    const it = await startWatchedWorld();
    const script = `process.on("message", (word) => process.send([word, process.env.KEY])); process.send(["run", process.env.KEY]);`;
    const child = spawn(command, [...prefix, ...WATCH, "--", process.execPath, "-e", script], {
      cwd: it.cwd,
      env: { ...it.env },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const heard: unknown[] = [];
    const until = (length: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => void (heard.length >= length && resolve());
        child.on("message", look);
        look();
      });
    child.on("message", (message) => void heard.push(message));
    await until(1);
    it.change("two");
    await until(2);
    child.send("word");
    await until(3);
    expect(heard).toEqual([
      ["run", "one"],
      ["run", "two"],
      ["word", "two"],
    ]);
    child.disconnect();
  });
});
