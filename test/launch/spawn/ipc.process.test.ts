/**
 * The IPC channel of a Node.js parent in spawn mode. A parent that has sent a large message no longer waits for the channel, but for
 * the end of the child: what the parent has not read by then is lost, including the `disconnect`. Therefore sophia-run, which
 * relays the messages, ends only after the parent has read all of them.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { isStandalone, sophiaRun } from "../../helpers/sophia.ts";

const PROGRAMS = {
  "that ends": `process.send("end", () => process.exit(7))`,
  "that disconnects first": `process.send("end", () => process.disconnect()); process.on("exit", () => (process.exitCode = 7))`,
};

skipBecause(isStandalone ? "the executable leaves the channel to the program" : undefined);

test.each(Object.entries(PROGRAMS))(
  "sophia-run ends only after its parent has read all messages of a program %s",
  async (_name, program) => {
    const [command, ...prefix] = sophiaRun;
    const launcherArguments = [...prefix, "--no-contract", "--mode", "spawn", "--", process.execPath, "-e", program];
    const launcher = spawn(command, launcherArguments, {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: { PATH: process.env["PATH"], NODE_CHANNEL_FD: "3", NODE_CHANNEL_SERIALIZATION_MODE: "json" },
    });
    const launcherExit = once(launcher, "exit");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pipe of Node.js is a pair of sockets
    const channel = launcher.stdio[3] as Socket;
    // This end stays open for writing, like the end of a parent that has not read all messages yet.
    channel.allowHalfOpen = true;
    let receivedText = "";
    channel.on("error", () => {});
    channel.setEncoding("utf8").on("data", (text: string) => (receivedText += text));
    await once(channel, "end");
    // The write fails with EPIPE if sophia-run has closed its end of the channel.
    const problem = await new Promise((resolve) => channel.write("{}\n", resolve));
    channel.end();
    expect({ read: receivedText, problem: problem ?? undefined, end: await launcherExit }).toStrictEqual({
      read: '"end"\n',
      problem: undefined,
      end: [7, null],
    });
  },
);
