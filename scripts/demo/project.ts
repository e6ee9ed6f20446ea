/**
 * A project that keeps its values in `.env` and does not use ESC: the first scene of the demo, the animated picture and the
 * README show it.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandSetting, DEMO_PATH } from "./command.ts";

const root = join(import.meta.dirname, "../..");

const APP = `const { DATABASE_URL, STRIPE_API_KEY, PORT = "3000" } = process.env;
const { hostname } = new URL(DATABASE_URL);
console.log(\`database on \${hostname}, Stripe key of \${STRIPE_API_KEY.length} characters, port \${PORT}\`);
`;

const MANIFEST = `{
  "name": "shop",
  "private": true,
  "scripts": { "start": "node app.js" },
  "dependencies": { "sophia-run": "0.1.0" }
}
`;

/** The contract that `init` wrote, as the user has changed it. */
export const CONTRACT = `{ "variables": {
    "DATABASE_URL": { "required": true, "format": "url" },
    "STRIPE_API_KEY": { "required": true },
    "PORT": { "format": "port", "default": "3000" }
} }
`;

const DATABASE = "DATABASE_URL=postgres://shop:fake-password@localhost/shop\n";

/** It lacks a key, and the port has a letter. */
const WRONG_ENV = `${DATABASE}PORT=80O0\n`;

export const CORRECT_ENV = `${DATABASE}PORT=8080\nSTRIPE_API_KEY=sk_test_fake_0000\n`;

/** The files of the project, with the wrong `.env`. */
export const PROJECT_FILES: Readonly<Record<string, string>> = {
  "app.js": APP,
  "package.json": MANIFEST,
  ".env": WRONG_ENV,
};

/** The user's edits before each console block of the README's first minute: the contract, the `.env`, nothing. */
export const README_EDITS: readonly Readonly<Record<string, string>>[] = [
  { "sophia.contract.json": CONTRACT },
  { ".env": CORRECT_ENV },
  {},
];

export interface DotenvProject extends CommandSetting {
  /** Writes a file as an editor of the user does. */
  edit(name: string, text: string): void;
  /** Removes the folder; may be called twice. */
  close(): void;
}

/** Creates the project in a temporary folder, with sophia-run as its dependency and on the PATH. */
export function openProject(): DotenvProject {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-demo-"));
  const cwd = join(folder, "shop");
  const edit = (name: string, text: string): void => {
    // A world-readable .env has a warning.
    writeFileSync(join(cwd, name), text, { mode: name.startsWith(".env") ? 0o600 : 0o644 });
  };
  mkdirSync(join(cwd, "node_modules"), { recursive: true });
  symlinkSync(root, join(cwd, "node_modules/sophia-run"));
  for (const [name, text] of Object.entries(PROJECT_FILES)) edit(name, text);
  return {
    cwd,
    environment: {
      PATH: DEMO_PATH,
      HOME: folder,
    },
    edit,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
