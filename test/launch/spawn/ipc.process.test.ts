/**
 * A parent in Node.js that has sent a large message no longer waits for its channel, but for the end of the child: what it has not
 * read by then is lost to it, also the `disconnect`. So sophia-run, which relays the messages, ends after the parent has read all.
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

test.each(Object.entries(PROGRAMS))("waits for its parent to read the end of a program %s", async (_name, program) => {
  const [command, ...prefix] = sophiaRun;
  const words = [...prefix, "--no-contract", "--mode", "spawn", "--", process.execPath, "-e", program];
  const launcher = spawn(command, words, {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
    env: { PATH: process.env["PATH"], NODE_CHANNEL_FD: "3", NODE_CHANNEL_SERIALIZATION_MODE: "json" },
  });
  const ended = once(launcher, "exit");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pipe of Node.js is a pair of sockets
  const channel = launcher.stdio[3] as Socket;
  // This end stays open for writing, as that of a parent which has not read the end yet.
  channel.allowHalfOpen = true;
  let read = "";
  channel.on("error", () => {});
  channel.setEncoding("utf8").on("data", (text: string) => (read += text));
  await once(channel, "end");
  // EPIPE if sophia-run no longer has the other end.
  const problem = await new Promise((resolve) => channel.write("{}\n", resolve));
  channel.end();
  expect({ read, problem: problem ?? undefined, end: await ended }).toStrictEqual({
    read: '"end"\n',
    problem: undefined,
    end: [7, null],
  });
});
