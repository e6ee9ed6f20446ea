/** The environments of the ESC server with their revisions, tags and change requests. */
import { createHash, randomUUID } from "node:crypto";
import { createCrypt, encryptSecrets } from "./crypt.ts";
import { writeDefinition } from "./definition.ts";
import { type Diagnostic, evaluate, type Evaluation, overlay } from "./evaluate.ts";
import type { WireStyle } from "./wire.ts";
import { mapValues, objectNode, type ObjectNode, relabel, toNode, type ValueNode, type ValueSpec } from "./values.ts";

/** The parameter of {@link EscServer.environment}. */
export interface EnvironmentSpec extends WireStyle {
  /** Direct children of `environmentVariables`. */
  readonly values?: { readonly [name: string]: ValueSpec };
  /** Direct children of `files`. */
  readonly files?: { readonly [name: string]: ValueSpec };
  /** Further top-level values. */
  readonly top?: { readonly [name: string]: ValueSpec };
  /** The whole definition as YAML, in place of `values`, `files`, `top` and `imports`; it is evaluated. */
  readonly definition?: string;
  /** Environments of the same organization, `project/env`, lowest precedence first. */
  readonly imports?: readonly string[];
  /** The number of this revision; the one after the last by default. */
  readonly revision?: number;
  /** Tags that point at this revision. */
  readonly tags?: readonly string[];
  readonly deny?: Denial;
  /** Changes must be approved: a `PATCH` is refused, a draft is taken. */
  readonly updates?: "approval";
  /** Stacks that use it, `project/stack`. */
  readonly stacks?: readonly string[];
  readonly creator?: string;
}

export interface Revision {
  readonly number: number;
  readonly created: Date;
  readonly creator: string;
  /** The stored definition: secrets as ciphertext. */
  readonly yaml: string;
  readonly etag: string;
  /** Values as given by the test; without them the definition is evaluated. */
  readonly root: ObjectNode | undefined;
  readonly imports: readonly string[];
}

/**
 * How an environment keeps callers out: 403, or 404 where it may not be known, to every request; `approval` (gated): 403 to
 * opening it or what imports it, since that needs an approval; it can be evaluated.
 */
export type Denial = 403 | 404 | "approval";

export interface Environment {
  readonly organization: string;
  readonly project: string;
  readonly name: string;
  readonly id: string;
  readonly revisions: Revision[];
  readonly tags: Map<string, number>;
  /** Changes that were proposed. */
  readonly drafts: Draft[];
  stacks: readonly string[];
  style: WireStyle;
  deny: Denial | undefined;
  updates: "approval" | undefined;
  /** An open request was approved and applied. */
  granted: boolean;
}

export interface Draft {
  readonly id: string;
  /** Secrets as ciphertext. */
  readonly yaml: string;
}

/** A request of one user that others decide. */
export interface ChangeRequest {
  readonly id: string;
  readonly environment: Environment;
  /** It counts once it is submitted: as `pending`. `ready` is approved, `applied` is in effect. */
  status: "draft" | "pending" | "ready" | "applied" | "closed";
  description: string;
  /** The login of its author. */
  readonly login: string;
}

export interface EnvironmentName {
  readonly organization: string;
  readonly project: string;
  readonly name: string;
}

/** On the way through an environment and its imports. */
interface Walk {
  readonly mode: "open" | "check";
  /** The revisions that are being evaluated. */
  readonly stack: readonly string[];
  /** Environments that were met and open only with an approval. */
  readonly gated: Set<string>;
}

/** The environments of a server, their revisions and what those evaluate to. */
export class Environments {
  readonly crypt = createCrypt();
  readonly providers = new Map<string, () => ValueNode>();
  readonly #byName = new Map<string, Environment>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(name: EnvironmentName): Environment | undefined {
    return this.#byName.get(keyOf(name));
  }

  all(): Environment[] {
    return [...this.#byName.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  delete(name: EnvironmentName): void {
    this.#byName.delete(keyOf(name));
  }

  clear(): void {
    this.#byName.clear();
    this.providers.clear();
  }

  /** Adds a revision, and the environment when there is none of that name. */
  add(name: EnvironmentName, spec: EnvironmentSpec, creator: string): Environment {
    const environment = this.get(name) ?? {
      ...name,
      id: randomUUID(),
      revisions: [],
      tags: new Map<string, number>(),
      drafts: [],
      stacks: [],
      style: spec,
      deny: spec.deny,
      updates: spec.updates,
      granted: false,
    };
    this.#byName.set(keyOf(name), environment);
    environment.style = spec;
    environment.stacks = spec.stacks ?? environment.stacks;
    environment.deny = spec.deny;
    environment.updates = spec.updates;
    const revision = this.#append(
      environment,
      this.#content(environment, spec),
      spec.creator ?? creator,
      spec.revision,
    );
    for (const tag of spec.tags ?? []) environment.tags.set(tag, revision.number);
    return environment;
  }

  /** Stores a new definition as the next revision, its secrets encrypted. */
  update(environment: Environment, yaml: string, creator: string): Revision {
    return this.#append(environment, { yaml: encryptSecrets(yaml, this.crypt) }, creator);
  }

  /** Keeps a definition that is not in effect, its secrets encrypted. */
  draft(environment: Environment, yaml: string): Draft {
    const draft = { id: randomUUID(), yaml: encryptSecrets(yaml, this.crypt) };
    environment.drafts.push(draft);
    return draft;
  }

  /** The revision that `version` (a number, a tag, `latest`) names. */
  revision(environment: Environment, version = "latest"): Revision | undefined {
    if (version === "latest") return environment.revisions.at(-1);
    const number = /^\d+$/.test(version) ? Number(version) : environment.tags.get(version);
    return environment.revisions.find((revision) => revision.number === number);
  }

  /** `gated`: the environment or one of its imports opens only with an approval. */
  evaluate(
    environment: Environment,
    revision: Revision,
    mode: "open" | "check",
  ): Evaluation & { readonly gated: boolean } {
    const walk: Walk = { mode, stack: [], gated: new Set() };
    if (isGated(environment)) walk.gated.add(keyOf(environment));
    const label = `${environment.project}/${environment.name}`;
    return { ...this.#evaluate(environment, revision, label, walk), gated: walk.gated.size > 0 };
  }

  /** The environment itself and its imports, as far as they open only with an approval. */
  gatedIn(environment: Environment): readonly Environment[] {
    const revision = this.revision(environment);
    if (revision === undefined) return [];
    const walk: Walk = { mode: "check", stack: [], gated: new Set() };
    if (isGated(environment)) walk.gated.add(keyOf(environment));
    this.#evaluate(environment, revision, "", walk);
    return Array.from(walk.gated).flatMap((name) => this.#byName.get(name) ?? []);
  }

  /** Evaluates a definition that is not stored. */
  evaluateText(organization: string, environment: string, yaml: string, mode: "open" | "check"): Evaluation {
    return this.#text({ organization }, environment, yaml, { mode, stack: [], gated: new Set() });
  }

  /** @param label what traces call it: `project/name`, or an import as it is written */
  #evaluate(owner: Environment, revision: Revision, label: string, walk: Walk): Evaluation {
    const within: Walk = { ...walk, stack: [...walk.stack, `${keyOf(owner)}@${revision.number}`] };
    if (revision.root === undefined) return this.#text(owner, label, revision.yaml, within);
    const diagnostics: Diagnostic[] = [];
    let root: ValueNode = objectNode({});
    for (const reference of revision.imports) {
      const imported = this.#import(owner.organization, reference, within);
      if ("failure" in imported) diagnostics.push({ summary: imported.failure, path: "imports" });
      else root = overlay(root, imported);
    }
    const own = relabel(revision.root, () => label);
    root = overlay(root, walk.mode === "check" ? hideSecrets(own) : own);
    return { root: root.kind === "object" ? root : objectNode({}), diagnostics };
  }

  #text(owner: { readonly organization: string }, environment: string, yaml: string, walk: Walk): Evaluation {
    return evaluate(yaml, {
      environment,
      mode: walk.mode,
      decrypt: (cipher) => this.crypt.decrypt(cipher),
      provider: (name) => this.providers.get(name)?.(),
      importEnvironment: (name) => this.#import(owner.organization, name, walk),
    });
  }

  #import(organization: string, reference: string, walk: Walk): ObjectNode | { readonly failure: string } {
    const [path = "", version] = reference.split("@", 2);
    const [first = "", second] = path.split("/");
    const target = second === undefined ? { project: "default", name: first } : { project: first, name: second };
    const environment = this.get({ organization, ...target });
    const revision = environment === undefined ? undefined : this.revision(environment, version);
    const isDenied = environment?.deny === 403 || environment?.deny === 404;
    if (environment === undefined || revision === undefined || isDenied) {
      return { failure: `unknown environment "${reference}"` };
    }
    // An environment may import itself at another revision.
    if (walk.stack.includes(`${keyOf(environment)}@${revision.number}`)) {
      return { failure: `cyclic import of ${reference}` };
    }
    if (isGated(environment)) walk.gated.add(keyOf(environment));
    return this.#evaluate(environment, revision, reference, walk).root;
  }

  #content(environment: Environment, spec: EnvironmentSpec): Pick<Revision, "yaml"> & Partial<Revision> {
    if (spec.definition !== undefined) return { yaml: encryptSecrets(spec.definition, this.crypt) };
    const properties = new Map(Object.entries(spec.top ?? {}).map(([name, value]) => [name, toNode(value)]));
    if (spec.values !== undefined) properties.set("environmentVariables", objectNode(spec.values));
    if (spec.files !== undefined) properties.set("files", objectNode(spec.files));
    const imports = spec.imports ?? [];
    const root: ObjectNode = { kind: "object", properties, secret: false };
    return { ...writeDefinition(`${environment.project}/${environment.name}`, root, imports, this.crypt), imports };
  }

  #append(
    environment: Environment,
    content: Pick<Revision, "yaml"> & Partial<Revision>,
    creator: string,
    number = (environment.revisions.at(-1)?.number ?? 0) + 1,
  ): Revision {
    const revision: Revision = {
      number,
      created: new Date(this.#now()),
      creator,
      yaml: content.yaml,
      etag: `"${createHash("sha256").update(`${environment.id}:${number}:${content.yaml}`).digest("hex").slice(0, 32)}"`,
      root: content.root,
      imports: content.imports ?? [],
    };
    const kept = environment.revisions.filter((other) => other.number !== number);
    environment.revisions.splice(0, Infinity, ...[...kept, revision].toSorted((a, b) => a.number - b.number));
    return revision;
  }
}

function isGated({ deny, granted }: Environment): boolean {
  return deny === "approval" && !granted;
}

function hideSecrets(node: ValueNode): ValueNode {
  if (node.kind === "object") return { ...node, properties: mapValues(node.properties, hideSecrets) };
  if (node.kind === "list") return { ...node, items: node.items.map(hideSecrets) };
  if (!node.secret) return node;
  const range = node.range === undefined ? {} : { range: node.range };
  return { kind: "unknown", secret: true, ...range };
}

function keyOf({ organization, project, name }: EnvironmentName): string {
  return `${organization}/${project}/${name}`;
}

/** @throws TypeError for anything but `org/project/env`: the server itself guesses nothing. */
export function parseEnvironmentName(text: string): EnvironmentName {
  const [organization, project, name, ...rest] = text.split("/");
  if (!organization || !project || !name || rest.length > 0) throw new TypeError(`not org/project/env: ${text}`);
  return { organization, project, name };
}
