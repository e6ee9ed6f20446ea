/**
 * The texts of `sophia-run help TOPIC`. A topic is a word that the documents use for several options and commands together, such as
 * "masking".
 */
import type { CommandName } from "../../command-line/command-line.ts";
import type { OptionName } from "../../command-line/options.ts";

/** The name of a topic. No command has this name, except that `run` is a start. */
export type TopicName = keyof typeof TOPICS;

export interface Topic {
  /** The title: one line, without a full stop. */
  readonly title: string;
  /** Paragraphs. */
  readonly paragraphs: readonly string[];
  /** The options that the topic is about. Without this list the help shows the options that most starts need. */
  readonly options?: readonly OptionName[];
  readonly commands: readonly CommandName[];
  readonly examples: readonly [string, ...string[]];
  /** The document that explains the topic in full. */
  readonly documentPath: string;
}

export const TOPICS = {
  run: {
    title: "Starting a program",
    paragraphs: [
      "sophia-run -- COMMAND works out the configuration, checks it against the contract, and then replaces itself with the " +
        "program. The exit status is the program's; 78 means that the contract is not met, and nothing was started.",
    ],
    commands: ["check", "explain"],
    examples: ["sophia-run -- node server.js", "sophia-run --fake -- npm test"],
    documentPath: "docs/launching.md",
  },
  contract: {
    title: "What a project's programs need",
    paragraphs: [
      "The contract, sophia.contract.json, declares the variables that the programs of a project need: which are required, " +
        "their formats, which are secrets. It is found in the working directory or above it. A start whose configuration " +
        "does not meet it is refused (78).",
    ],
    options: ["contract", "profile", "scope", "no-contract", "only-declared", "fake"],
    commands: ["init", "check", "docs"],
    examples: ["sophia-run init", "sophia-run check", "sophia-run --contract FILE -- node server.js"],
    documentPath: "docs/contract.md",
  },
  masking: {
    title: "Secrets as *** in outputs",
    paragraphs: [
      "Secrets in the output of the program appear as ***. In GitHub Actions and under coding agents this needs no option. " +
        "Secrets are what the contract declares so, values of ESC that are secret, and credentials in known forms.",
    ],
    options: ["redact"],
    commands: ["mask", "hook", "scan"],
    examples: ["sophia-run --redact -- npm test", "kubectl logs web | sophia-run mask"],
    documentPath: "docs/masking.md",
  },
  broker: {
    title: "Programs without the real API keys",
    paragraphs: [
      "With --broker the program gets dummies of its API keys and an address on this machine. sophia-run puts the real keys " +
        "into the requests of the program, so that what leaks from it is worth nothing after the run.",
    ],
    options: ["broker", "broker-to", "broker-except", "broker-listen", "broker-name"],
    commands: ["check", "explain"],
    examples: ["sophia-run --broker -- claude", "sophia-run check --broker"],
    documentPath: "docs/broker.md",
  },
} as const satisfies Readonly<Record<string, Topic>>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table has exactly these keys
export const TOPIC_NAMES = Object.keys(TOPICS) as readonly TopicName[];

export function isTopic(name: CommandName | TopicName): name is TopicName {
  return Object.hasOwn(TOPICS, name);
}
