/** Reads Dockerfiles as container runtimes see the built image. */
import { parseInstructions } from "./container.ts";

/** The configuration of an image, which the last stage of a Dockerfile sets. */
export interface Image {
  readonly base: string;
  readonly user: string | undefined;
  readonly workdir: string;
  /** The variables of ENV. `$PATH` is not replaced. */
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

/** Reads the last stage of a Dockerfile. CMD may have the shell form, which the runtime starts by `/bin/sh -c`. */
export function readImage(dockerfile: string): Image {
  const all = parseInstructions(dockerfile);
  const stage = all.slice(all.findLastIndex((line) => line.startsWith("FROM ")));
  const last = (name: string): string | undefined =>
    stage.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const env = stage.flatMap((line) => {
    const [, name, value] = /^ENV (\w+)=(\S+)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return {
    base: last("FROM") ?? "",
    user: last("USER"),
    workdir: last("WORKDIR") ?? "/",
    env: Object.fromEntries(env),
    entrypoint: splitWords(last("ENTRYPOINT")),
    cmd: splitWords(last("CMD")),
    healthcheck: splitWords(/CMD (.*)$/.exec(last("HEALTHCHECK") ?? "")?.[1]),
  };
}

/** Returns the RUN instructions that mount a secret: the identifier of the secret, and the command. */
export function stepsWithSecrets(dockerfile: string): readonly { readonly id: string; readonly command: string }[] {
  return parseInstructions(dockerfile).flatMap((line) => {
    const [, id, command] = /^RUN --mount=type=secret,id=(\w+),required=true\s+(.*)$/.exec(line) ?? [];
    return id === undefined || command === undefined ? [] : [{ id, command }];
  });
}

function splitWords(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (!text.startsWith("[")) return ["/bin/sh", "-c", text];
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || !list.every((word) => typeof word === "string")) throw new Error(`no words: ${text}`);
  return list;
}
