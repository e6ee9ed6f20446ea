"use strict";
// Sends one request with the key and the address of its environment, as the client libraries of OpenAI do.
const { OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;

fetch(`${OPENAI_BASE_URL}/models`, { headers: { authorization: `Bearer ${OPENAI_API_KEY}` } })
  .then((answer) => answer.text())
  .then((text) => process.stdout.write(`my key: ${OPENAI_API_KEY}\naddress: ${OPENAI_BASE_URL}\nanswer: ${text}\n`));
