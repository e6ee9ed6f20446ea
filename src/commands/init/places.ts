/** The three places of use: npm scripts, Dockerfile, devcontainer. What exists is never overwritten. */
import { shellQuoted } from "../../core/shell.ts";

/** What is to be done about one place. */
export type Place =
  | { readonly kind: "create"; readonly file: string; readonly text: string }
  | { readonly kind: "edit"; readonly file: string; readonly text: string; readonly done: string }
  /** Lines for the user to add. */
  | { readonly kind: "advise"; readonly file: string; readonly lines: readonly string[] }
  | { readonly kind: "ready"; readonly file: string };

/** Scripts that start a program of the repository. */
const STARTING = ["start", "dev", "serve"];
const PREFIX = "sophia-run -- ";

/**
 * @param text that of package.json; `undefined` where there is none
 * @param edit whether it may be changed
 */
export function npmScripts(text: string | undefined, edit: boolean): Place {
  const file = "package.json";
  if (text === undefined) return { kind: "advise", file, lines: [`"scripts": { "start": "${PREFIX}node server.js" }`] };
  const manifest = parseObject(text);
  if (manifest === undefined)
    return { kind: "advise", file, lines: ["it is not a JSON object; its scripts cannot be read"] };
  const scripts = objectOf(manifest["scripts"]) ?? {};
  const starting = STARTING.flatMap((name) => {
    const command = scripts[name];
    return typeof command === "string" ? [{ name, command }] : [];
  });
  const left = starting.filter(({ command }) => !/\bsophia-run\b/.test(command));
  if (starting.length > 0 && left.length === 0) return { kind: "ready", file };
  const prefixed = left.map(({ name, command }) => [name, PREFIX + wrapped(command)] as const);
  if (prefixed.length === 0)
    return { kind: "advise", file, lines: [`"scripts": { "start": "${PREFIX}node server.js" }`] };
  if (!edit) {
    return {
      kind: "advise",
      file,
      lines: prefixed.map(([name, command]) => `${JSON.stringify(name)}: ${JSON.stringify(command)}`),
    };
  }
  const edited = { ...manifest, scripts: { ...scripts, ...Object.fromEntries(prefixed) } };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  ";
  return {
    kind: "edit",
    file,
    text: JSON.stringify(edited, undefined, indent) + (text.endsWith("\n") ? "\n" : ""),
    done: `put sophia-run in front of ${prefixed.map(([name]) => name).join(", ")}`,
  };
}

/** A script that is more than one command needs a shell of its own behind `--`. */
function wrapped(command: string): string {
  if (!/[&|;<>()$`"'\n]|^\w+=/.test(command)) return command;
  return `sh -c ${shellQuoted(command)}`;
}

/** @param isNode whether the repository has a package.json */
export function dockerfile(text: string | undefined, isNode: boolean): Place {
  const file = "Dockerfile";
  const entrypoint = 'ENTRYPOINT ["node_modules/.bin/sophia-run", "--"]';
  if (text === undefined) {
    if (!isNode) return { kind: "advise", file, lines: ['ENTRYPOINT ["sophia-run", "--"]'] };
    return {
      kind: "create",
      file,
      text: `FROM node:22-slim
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev
COPY . .
# sophia-run reads the configuration when the container starts; no secret is in the image.
${entrypoint}
CMD ["node", "server.js"]
`,
    };
  }
  if (/^\s*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) return { kind: "ready", file };
  const current = /^\s*ENTRYPOINT\s+\[(.*)\]\s*$/im.exec(text)?.[1]?.trim();
  const lines =
    current === undefined || current === ""
      ? [isNode ? entrypoint : 'ENTRYPOINT ["sophia-run", "--"]']
      : [`ENTRYPOINT ["${isNode ? "node_modules/.bin/sophia-run" : "sophia-run"}", "--", ${current}]`];
  return { kind: "advise", file, lines };
}

/** @param file the one that exists, else the one to create */
export function devcontainer(file: string, text: string | undefined, isNode: boolean): Place {
  const command = isNode ? "npx sophia-run check" : "sophia-run check";
  const lines = [
    `"postStartCommand": "${command}"`,
    // oxlint-disable-next-line no-template-curly-in-string -- the devcontainer's own variables
    '"remoteEnv": { "ESC_ENV": "${localEnv:ESC_ENV}", "ESC_TOKEN": "${localEnv:ESC_TOKEN}" }',
  ] as const;
  if (text !== undefined)
    return /\bsophia-run\b/.test(text) ? { kind: "ready", file } : { kind: "advise", file, lines };
  const image = isNode
    ? "mcr.microsoft.com/devcontainers/typescript-node"
    : "mcr.microsoft.com/devcontainers/base:debian";
  return { kind: "create", file, text: `{\n  "image": "${image}",\n  ${lines[0]},\n  ${lines[1]}\n}\n` };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}
