"use strict";
// Sends one request with the key and the address of its environment, as the client libraries of OpenAI do.
async function ask({ OPENAI_API_KEY, OPENAI_BASE_URL }) {
  const headers = { authorization: `Bearer ${OPENAI_API_KEY}` };
  const answer = await fetch(`${OPENAI_BASE_URL}/models`, { headers });
  process.stdout.write(`my key: ${OPENAI_API_KEY}\naddress: ${OPENAI_BASE_URL}\nanswer: ${await answer.text()}\n`);
}

void ask(process.env);
