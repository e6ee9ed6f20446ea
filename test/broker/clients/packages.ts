/** The official clients of the providers, at pinned versions, and the functions that fetch them. */
import { execFileSync, type StdioOptions } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillFolderOnce } from "../../helpers/fill-folder-once.ts";
import { fetchNpmPackages } from "../../helpers/npm-packages.ts";
import { fetchPythonPackages } from "../../helpers/python-packages.ts";
import { isNightly } from "../../helpers/seed.ts";

/** Clients of GitHub's API for JavaScript and for Python. */
export const OCTOKIT = { "@octokit/rest": "22.0.1" } as const;
export const PYGITHUB = { PyGithub: "2.10.0" } as const;
/** These packages are tested at night only, because they are as large as all the others together. */
const LARGE_JAVASCRIPT = { "@google/genai": "2.32.0" } as const;
const FIRST_JAVASCRIPT = {
  openai: "7.59.0",
  "@anthropic-ai/sdk": "1.14.0",
  "groq-sdk": "1.6.0",
  "@ai-sdk/anthropic": "4.0.105",
  "@openrouter/sdk": "1.3.19",
  "portkey-ai": "3.1.0",
  "@perplexity-ai/perplexity_ai": "0.38.5",
  "@qdrant/js-client-rest": "1.19.0",
} as const;
export const JAVASCRIPT = { ...FIRST_JAVASCRIPT, ...LARGE_JAVASCRIPT };
/** Coding agents. */
export const AGENTS = { "@anthropic-ai/claude-code": "2.1.332", "@openai/codex": "0.171.0" } as const;
/**
 * Only this package is tested for each change, and all at night: the others are 60 MB, much of which pip and Python
 * must compile.
 */
const FIRST_PYTHON = { openai: "3.57.0" } as const;
export const PYTHON = {
  ...FIRST_PYTHON,
  anthropic: "2.14.0",
  "google-genai": "3.6.1",
  groq: "1.7.0",
  perplexityai: "0.46.1",
  "portkey-ai": "2.3.4",
  "qdrant-client": "1.20.0",
} as const;
export const GO = {
  "github.com/openai/openai-go/v3": "v3.99.0",
  "github.com/anthropics/anthropic-sdk-go": "v1.84.0",
} as const;
export const MAVEN = { "com.openai:openai-java": "4.101.0", "com.anthropic:anthropic-java": "3.14.0" } as const;

const cache = join(import.meta.dirname, "../../../.cache/broker-clients");

/** Hides the output of the installers, except the reason of a failure. */
const stdio: StdioOptions = ["ignore", "ignore", "pipe"];

/** Fetches packages into a folder that is named after their versions, unless the folder is already there. */
function fetchInto(
  name: string,
  versions: Readonly<Record<string, string>>,
  install: (folder: string) => void,
): string {
  return fillFolderOnce(folderFor(name, versions), install);
}

/** Returns the path of a folder of packages. Its name contains their versions. */
function folderFor(name: string, versions: Readonly<Record<string, string>>): string {
  return join(cache, `${name}-${Object.values(versions).join("-")}`);
}

export function fetchJavaScript(): string {
  return fetchFromNpm("javascript", isNightly ? JAVASCRIPT : FIRST_JAVASCRIPT);
}

export function isLarge(name: string): boolean {
  return Object.hasOwn(LARGE_JAVASCRIPT, name);
}

/** @returns the folder that contains the agents' packages */
export function fetchAgents(): string {
  return join(fetchFromNpm("agents", AGENTS), "node_modules");
}

export function fetchOctokit(): string {
  return fetchFromNpm("octokit", OCTOKIT);
}

export function fetchPyGithub(): string {
  return fetchFromPyPI("pygithub", PYGITHUB);
}

export function fetchFromNpm(name: string, dependencies: Readonly<Record<string, string>>): string {
  return fetchNpmPackages(folderFor(name, dependencies), dependencies);
}

export function fetchPython(): string {
  return fetchFromPyPI("python", isNightly ? PYTHON : FIRST_PYTHON);
}

export function fetchFromPyPI(kind: string, versions: Readonly<Record<string, string>>): string {
  const requirements = Object.entries(versions).map(([name, version]) => `${name}==${version}`);
  return fetchPythonPackages(folderFor(kind, versions), requirements);
}

/** @returns the path of the program that is built from clients.go with these packages */
export function fetchGo(): string {
  const folder = fetchInto("go", GO, (unfinished) => {
    const go = (...args: readonly string[]): void =>
      void execFileSync("go", args, { cwd: unfinished, timeout: 300_000, stdio });
    copyFileSync(join(import.meta.dirname, "clients.go"), join(unfinished, "clients.go"));
    go("mod", "init", "clients");
    go("get", ...Object.entries(GO).map(([name, version]) => `${name}@${version}`));
    go("build", "-o", "clients", ".");
  });
  return join(folder, "clients");
}

/** @returns the class path of the packages */
export function fetchMaven(): string {
  const folder = fetchInto("maven", MAVEN, (unfinished) => {
    const dependencies = Object.entries(MAVEN).map(([name, version]) => {
      const [group = "", artifact = ""] = name.split(":");
      return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
    });
    const own = "<modelVersion>4.0.0</modelVersion><groupId>clients</groupId><artifactId>clients</artifactId>";
    writeFileSync(
      join(unfinished, "pom.xml"),
      `<project>${own}<version>1</version><dependencies>${dependencies.join("")}</dependencies></project>`,
    );
    execFileSync("mvn", ["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=jars"], {
      cwd: unfinished,
      timeout: 300_000,
      stdio,
    });
  });
  return join(folder, "jars", "*");
}
