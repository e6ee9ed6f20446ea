// Makes a call, a stream and a call that fails with an official client, as its documentation has them: key and address come
// from the environment alone. Prints what the client got: `node javascript.mjs CLIENT`.
const MESSAGES = [{ role: "user", content: "hello" }];

/** By client: a call's text, the pieces of a stream, and a call that the service refuses. */
const CLIENTS = {
  openai: async () => {
    const { default: OpenAI } = await import("openai");
    return chat(new OpenAI({ maxRetries: 0 }).chat.completions);
  },
  "groq-sdk": async () => {
    const { default: Groq } = await import("groq-sdk");
    return chat(new Groq({ maxRetries: 0 }).chat.completions);
  },
  "@perplexity-ai/perplexity_ai": async () => {
    const { default: Perplexity } = await import("@perplexity-ai/perplexity_ai");
    return chat(new Perplexity({ maxRetries: 0 }).chat.completions);
  },
  "portkey-ai": async () => {
    const { Portkey } = await import("portkey-ai");
    return chat(new Portkey({}).chat.completions);
  },
  "@openrouter/sdk": async () => {
    const { OpenRouter } = await import("@openrouter/sdk");
    const client = new OpenRouter({ apiKey: process.env.OPENROUTER_API_KEY, retryConfig: { strategy: "none" } });
    const send = (model, stream) => client.chat.send({ chatRequest: { model, messages: MESSAGES, stream } });
    return chat({ create: ({ model, stream }) => send(model, stream) });
  },
  "@anthropic-ai/sdk": async () => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const { messages } = new Anthropic({ maxRetries: 0 });
    const create = (model, stream) => messages.create({ model, max_tokens: 9, messages: MESSAGES, stream });
    return {
      call: (await create("good", false)).content[0].text,
      stream: await pieces(await create("good", true), (event) => event.delta?.text),
      error: await statusOf(create("broken", false)),
    };
  },
  "@ai-sdk/anthropic": async () => {
    const { anthropic } = await import("@ai-sdk/anthropic");
    const options = { prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] };
    const { stream } = await anthropic("good").doStream(options);
    return {
      call: (await anthropic("good").doGenerate(options)).content[0].text,
      stream: await pieces(stream, (part) => (part.type === "text-delta" ? part.delta : undefined)),
      error: await statusOf(anthropic("broken").doGenerate(options)),
    };
  },
  "@google/genai": async () => {
    const { GoogleGenAI } = await import("@google/genai");
    const { models } = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
    const request = (model) => ({ model, contents: "hello" });
    return {
      call: (await models.generateContent(request("good"))).text,
      stream: await pieces(await models.generateContentStream(request("good")), (event) => event.text),
      error: await statusOf(models.generateContent(request("broken"))),
    };
  },
  "@qdrant/js-client-rest": async () => {
    const { QdrantClient } = await import("@qdrant/js-client-rest");
    const { QDRANT_URL: url, QDRANT_API_KEY: apiKey } = process.env;
    const client = new QdrantClient({ url, apiKey, checkCompatibility: false });
    return {
      call: (await client.getCollections()).collections[0].name,
      stream: [],
      error: await statusOf(client.getCollection("broken")),
    };
  },
};

async function chat(completions) {
  const create = (model, stream) => completions.create({ model, messages: MESSAGES, stream });
  return {
    call: (await create("good", false)).choices[0].message.content,
    stream: await pieces(await create("good", true), (chunk) => chunk.choices[0]?.delta?.content),
    error: await statusOf(create("broken", false)),
  };
}

async function pieces(stream, textOf) {
  const texts = [];
  for await (const event of stream) {
    const text = textOf(event);
    if (text) texts.push(text);
  }
  return texts;
}

async function statusOf(promise) {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error.status ?? error.statusCode ?? String(error);
  }
}

process.stdout.write(JSON.stringify(await CLIENTS[process.argv[2]]()));
