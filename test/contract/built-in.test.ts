import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../../scripts/contract/files.ts";
import { BUILT_IN } from "../../src/contract/generated/built-in.ts";
import { loadContract } from "../../src/contract/find-contract.ts";
import { listProbes } from "../../src/commands/check/live/probe-plan.ts";
import { summarizeViolations, findViolations, contractOf, resolutionOf, root, withoutProbes } from "./contracts.ts";
import { foldersOf } from "../helpers/folders.ts";

const contract = BUILT_IN;

const met = {
  PULUMI_ACCESS_TOKEN: "pul-1",
  QDRANT_URL: "https://qdrant.example",
  QDRANT_API_KEY: "q",
  GITHUB_PAT: "ghp_1",
  GROQ_API_KEY: "g",
};

describe("the built-in contract", () => {
  it("equals sophia.contract.json, and the generated files are those that the generator writes", async () => {
    const text = await readFile(join(root, "sophia.contract.json"), "utf8");
    expect({ ...withoutProbes(contractOf(JSON.parse(text))), source: { kind: "built-in" } }).toStrictEqual(contract);
    const files = await generatedFiles(root);
    const committed = await Promise.all(files.map(async ({ path }) => ({ path, text: await readFile(path, "utf8") })));
    expect(committed).toStrictEqual(files);
  });

  it("differs from this repository's file only in its source", async () => {
    const file = await loadContract({}, foldersOf(join(root, "src", "contract")));
    expect(file.source).toStrictEqual({ kind: "file", path: join(root, "sophia.contract.json") });
    expect({ ...withoutProbes(file), source: { kind: "built-in" } }).toStrictEqual(contract);
    expect(listProbes(contract)).toStrictEqual(listProbes(file));
    expect(listProbes(contract).every(({ isBuiltIn }) => isBuiltIn)).toBe(true);
  });

  it("has the rules that the product's table lists", () => {
    const of = (kind: string): readonly string[] =>
      contract.rules.flatMap((rule) => (rule.kind === kind ? ("names" in rule ? rule.names : [rule.name]) : []));
    expect(of("required")).toStrictEqual(["PULUMI_ACCESS_TOKEN", "QDRANT_URL", "QDRANT_API_KEY"]);
    expect(of("one-of")).toStrictEqual(["GH_FINE_GRAINED_TOKEN", "GITHUB_PAT"]);
    expect(of("at-least-one")).toStrictEqual([
      "OPENROUTER_API_KEY",
      "PORTKEY_API_KEY",
      "ANTHROPIC_API_KEY",
      "OPENAI_API_KEY",
      "DEEPSEEK_API_KEY",
      "GROQ_API_KEY",
      "MISTRAL_API_KEY",
    ]);
    expect(of("optional")).toStrictEqual([
      "DATABASE_URL",
      "LAMBDA_CLOUD_API_KEY",
      "TAVILY_API_KEY",
      "SERPER_API_KEY",
      "PERPLEXITY_API_KEY",
    ]);
    expect(contract.rules).toHaveLength(10);
    expect(contract.variables.size).toBe(17);
  });

  it("shows its four main lines first, then the providers, then the optional services", () => {
    expect(contract.sections.map(({ title, lines }) => [title, lines.map(({ label }) => label)])).toStrictEqual([
      ["Config Loader Check", ["GitHub Token", "Pulumi Token", "Qdrant URL", "Qdrant API Key"]],
      [
        "LLM Providers",
        [
          "OpenRouter API Key",
          "Portkey API Key",
          "Anthropic API Key",
          "OpenAI API Key",
          "DeepSeek API Key",
          "Groq API Key",
          "Mistral API Key",
        ],
      ],
      [
        "Optional Services",
        ["Database URL", "Lambda Cloud API Key", "Tavily API Key", "Serper API Key", "Perplexity API Key"],
      ],
    ]);
  });

  it("has nothing whose code a start must load: no format, default, alias or deprecated name", () => {
    const { variables, aliases, deprecated } = contract;
    expect([...aliases, ...deprecated]).toStrictEqual([]);
    for (const declaration of variables.values()) {
      expect(declaration).not.toHaveProperty("format");
      expect(declaration).not.toHaveProperty("default");
      expect(declaration.aliases).toStrictEqual([]);
    }
  });

  it("accepts any values that are set, whatever they look like", () => {
    expect(summarizeViolations(findViolations(contract, resolutionOf(met)))).toStrictEqual([]);
  });

  it.each([
    [
      "nothing",
      {},
      [
        "missing PULUMI_ACCESS_TOKEN",
        "missing QDRANT_URL",
        "missing QDRANT_API_KEY",
        "none-set github-token",
        "none-set llm-providers",
      ],
    ],
    ["an empty required variable", { ...met, QDRANT_URL: "" }, ["missing QDRANT_URL"]],
    ["the other GitHub token", { ...met, GITHUB_PAT: "", GH_FINE_GRAINED_TOKEN: "github_pat_1" }, []],
    ["all providers empty", { ...met, GROQ_API_KEY: "", OPENAI_API_KEY: "" }, ["none-set llm-providers"]],
    ["an example left in place", { ...met, QDRANT_API_KEY: "<qdrant-api-key>" }, ["placeholder QDRANT_API_KEY"]],
    ["half an example", { ...met, QDRANT_URL: "https://<cluster>.example" }, ["placeholder QDRANT_URL"]],
    ["a placeholder in an optional variable", { ...met, TAVILY_API_KEY: "your-key" }, ["placeholder TAVILY_API_KEY"]],
  ])("has the expected violations with %s", (_, values, expected) => {
    expect(summarizeViolations(findViolations(contract, resolutionOf(values)))).toStrictEqual(expected);
  });
});
