import { matchesOf, type Reads } from "./reads.ts";

/** Finds `process.env.X`, `process.env["X"]`, `import.meta.env.X`, `Bun.env.X`, `Deno.env.get("X")`, `const { X } = process.env`. */
export function readsOfScript(text: string): Reads {
  const access =
    /\b(?:process\.env|import\.meta\.env|Bun\.env)(?:\?\.|\.)?(?:\[\s*["'`]([A-Za-z_]\w*)["'`]\s*\]|(?<=\.)([A-Za-z_]\w*))(!?)/g;
  const destructured = /\{([^{}]{1,2000})\}\s*=\s*(?:process|Bun|import\.meta)\.env\b/g;
  const names = [
    ...matchesOf(text, /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g),
    ...matchesOf(text, destructured).flatMap(namesIn),
  ];
  return [
    ...readsByOtherNames(text),
    ...readsByNest(text),
    // TypeScript's `!` asserts that the variable is set.
    ...Array.from(text.matchAll(access), ([, quoted, plain, mark]) => [quoted ?? plain ?? "", mark === "!"] as const),
    ...names.map((name) => [name, false] as const),
  ];
}

/** Finds `env.X` after `const env = process.env`, `const { env } = process` or `import { env } from "node:process"`. */
function readsByOtherNames(text: string): Reads {
  const objects = new Set([
    ...matchesOf(text, /\b(?:const|let|var)\s+(\w+)\s*=\s*process\.env\s*(?:;|$)/gm),
    ...matchesOf(text, /\{\s*(env)\s*\}\s*=\s*process\s*(?:;|$)/gm),
    ...matchesOf(
      text,
      /\bimport\s*\{[^{}]{0,500}\b(env)\b(?!\s+as\b)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
    ...matchesOf(text, /\bimport\s*\{[^{}]{0,500}\benv\s+as\s+(\w+)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g),
  ]);
  // Only upper case: an object of a function may have the same name.
  return Array.from(objects).flatMap((object) => {
    const access = String.raw`(?<![\w$.])${object}(?:\?\.|\.)?(?:\[\s*["'\x60]([A-Z][A-Z0-9_]*)["'\x60]\s*\]|(?<=\.)([A-Z][A-Z0-9_]*)\b)(!?)`;
    const destructured = String.raw`\{([^{}]{1,2000})\}\s*=\s*${object}\s*(?:;|$)`;
    return [
      ...Array.from(
        text.matchAll(new RegExp(access, "g")),
        ([, quoted, plain, mark]) => [quoted ?? plain ?? "", mark === "!"] as const,
      ),
      ...matchesOf(text, new RegExp(destructured, "gm"))
        .flatMap(namesIn)
        .map((name) => [name, false] as const),
    ];
  });
}

/** Finds `configService.get("X")` of Nest. Keys in lower case are those of its own configuration. */
function readsByNest(text: string): Reads {
  if (!/["']@nestjs\/config["']/.test(text)) return [];
  const call = /\bconfig(?:Service)?\.get(OrThrow)?(?:<[^()]{1,200}>)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;
  return Array.from(text.matchAll(call), ([, mark, name = ""]) => [name, mark !== undefined] as const);
}

/** Returns the names of a pattern such as `{ A, B: b, C = 1 }`. */
function namesIn(list: string): readonly string[] {
  return list.split(",").flatMap((part) => /^\s*([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(part)?.[1] ?? []);
}
