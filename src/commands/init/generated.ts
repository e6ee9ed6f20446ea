/** The variables of a `.env.example` that `docs` wrote from a contract which is gone; pure. */
import type { Found, FoundGroup } from "./found.ts";

interface Block {
  readonly name: string;
  readonly comments: readonly string[];
}

const GROUP_RULES = [
  ["exactly-one", /^exactly one of (.+)$/],
  ["at-least-one", /^at least one of (.+)$/],
  ["all-or-none", /^all or none of (.+)$/],
  ["one-of", /^one of (.+)$/],
] as const;

/** Lines of facts that follow the description. */
const FACT = /^(?:Deprecated: use |Format: |Example: |Default: |See )/;

/**
 * What the file says of each variable but ESC's own: label, what it is for, an example, a default, a page, whether it is
 * required, its groups. Formats, aliases and conditions are not read back: a variable with a condition is optional.
 */
export function fromGenerated(text: string): {
  readonly found: readonly Found[];
  readonly groups: readonly FoundGroup[];
} {
  const groups = new Map<string, FoundGroup>();
  const blocks = blocksOf(text).filter(({ name }) => name !== "ESC_ENV" && name !== "ESC_TOKEN");
  const found = blocks.map(({ name, comments }): Found => {
    const [, label, needs] = /^(?:(.*) )?\(([^()]*)\)$/.exec(comments[0] ?? "") ?? [];
    // Somebody added it by hand.
    if (needs === undefined) return { name, required: true, secret: true, ...described(comments) };
    const rest = comments.slice(1);
    for (const need of needs.split("; ")) join(groups, need, name);
    const end = rest.findIndex((line) => FACT.test(line));
    const facts = end === -1 ? [] : rest.slice(end);
    const fact = (prefix: string): string | undefined =>
      facts.find((line) => line.startsWith(prefix))?.slice(prefix.length);
    const [example, fallback, docs] = ["Example: ", "Default: ", "See "].map(fact);
    return {
      name,
      required: needs.split("; ").includes("required"),
      // The file does not tell what is no secret.
      secret: true,
      ...(label === undefined ? {} : { label }),
      ...described(end === -1 ? rest : rest.slice(0, end)),
      ...(example === undefined ? {} : { example }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(docs === undefined ? {} : { docs }),
    };
  });
  return { found, groups: Array.from(groups.values(), (group) => inOrder(group, text)) };
}

function described(lines: readonly string[]): { readonly description?: string } {
  return lines.length === 0 ? {} : { description: lines.join("\n") };
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let comments: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    const name = /^(?:export )?([A-Za-z_][\w.-]*)=/.exec(line)?.[1];
    if (name !== undefined) blocks.push({ name, comments });
    const comment = /^# ?(.*)$/.exec(line)?.[1];
    comments = comment === undefined ? [] : [...comments, comment];
  }
  return blocks;
}

function join(groups: Map<string, FoundGroup>, need: string, name: string): void {
  for (const [rule, pattern] of GROUP_RULES) {
    const label = pattern.exec(need)?.[1];
    if (label === undefined) continue;
    const former = groups.get(need);
    groups.set(need, { label, rule, variables: [...(former?.variables ?? []), name] });
    return;
  }
}

/** The head of the file names the group's variables in their order of preference. */
function inOrder(group: FoundGroup, text: string): FoundGroup {
  const sentence = text.split(/\r\n|\n|\r/).find((line) => line.startsWith(`# ${group.label}: `)) ?? "";
  const words = sentence.slice(group.label.length).split(/[\s,.]+/);
  const place = (name: string): number => (words.includes(name) ? words.indexOf(name) : words.length);
  return { ...group, variables: group.variables.toSorted((a, b) => place(a) - place(b)) };
}
