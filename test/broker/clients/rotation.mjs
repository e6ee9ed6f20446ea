// Makes 50 calls a second with an official client as its documentation has it, until SIGTERM: `node rotation.mjs CLIENT`. Prints
// a line for every 50 calls that succeeded, one for each that failed, and the number of calls at the end.
import { writeSync } from "node:fs";

const MESSAGES = [{ role: "user", content: "hello" }];

const CLIENTS = {
  openai: async () => {
    const { default: OpenAI } = await import("openai");
    const { completions } = new OpenAI().chat;
    return async () =>
      (await completions.create({ model: "good", messages: MESSAGES })).choices[0].message.content === "hello";
  },
  "@anthropic-ai/sdk": async () => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const { messages } = new Anthropic();
    return async () =>
      (await messages.create({ model: "good", max_tokens: 9, messages: MESSAGES })).content[0].text === "hello";
  },
};

function print(line) {
  writeSync(1, `${line}\n`);
}

const call = await CLIENTS[process.argv[2]]();
const calls = [];
let succeeded = 0;

async function countedCall() {
  try {
    if (!(await call())) throw new TypeError("another answer");
    succeeded += 1;
    if (succeeded % 50 === 0) print(`succeeded ${succeeded}`);
  } catch (error) {
    print(`failed ${error.status ?? error}`);
  }
}

const timer = setInterval(() => calls.push(countedCall()), 20);
process.once("SIGTERM", async () => {
  clearInterval(timer);
  await Promise.all(calls);
  print(`made ${calls.length}, succeeded ${succeeded} in all`);
});
print(`run ${process.pid}`);
