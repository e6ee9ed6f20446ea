/** The pictures of the documents as their readers get them: without scripts and network, perhaps without animation. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawTerminal, type Moment } from "../../scripts/picture/terminal.ts";

const docs = join(import.meta.dirname, "../../docs");
const demo = readFileSync(join(docs, "demo.svg"), "utf8");
const sources = readFileSync(join(docs, "sources.svg"), "utf8");

/** Prints the root's tag, and the text of its first two children, of a well-formed document. */
const PARSE = `
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(root.tag, *[f"{child.tag.split('}')[1]}:{len(child.text)}" for child in list(root)[:2]])
`;

describe.each([
  ["demo.svg", demo],
  ["sources.svg", sources],
])("the picture %s", (_, picture) => {
  test("is well-formed, and has a title and a description for screen readers", () => {
    const parsed = spawnSync("python3", ["-c", PARSE], { input: picture, encoding: "utf8" });
    expect(parsed).toMatchObject({ status: 0, stderr: "" });
    expect(parsed.stdout).toMatch(/^\{http:\/\/www\.w3\.org\/2000\/svg\}svg title:\d+ desc:\d{3,}\n$/);
    expect(picture).toContain('role="img" aria-labelledby="title description"');
  });

  test("has no script, and refers to nothing outside", () => {
    expect(picture).not.toMatch(/<script|<foreignObject|href|@import|url\((?!#)|\bon\w+=/);
  });
});

test("docs/sources.svg has different colours for dark mode", () => {
  expect(sources).toContain("@media (prefers-color-scheme: dark)");
  expect(sources).not.toContain("animation");
});

describe("docs/demo.svg", () => {
  const style = demo.slice(demo.indexOf("<style>"), demo.indexOf("</style>"));
  const [always = "", animated = ""] = style.split("@media (prefers-reduced-motion: no-preference) {");

  test("is animated only for readers who have not asked for less motion", () => {
    expect(always).not.toMatch(/animation|keyframes/);
    expect(animated).toMatch(/\.scroll \{ animation: scroll [\d.]+s /);
  });

  test("takes some twenty seconds, in which each line appears", () => {
    const [, seconds = ""] = /\.scroll \{ animation: scroll ([\d.]+)s /.exec(animated) ?? [];
    expect(Number(seconds)).toBeGreaterThan(15);
    expect(Number(seconds)).toBeLessThan(30);
    const groups = new Set(Array.from(demo.matchAll(/<g class="(m\d+)">/g), ([, name]) => name));
    expect(groups.size).toBeGreaterThan(10);
    for (const name of groups) expect(animated).toContain(`@keyframes ${name} { 0% { opacity: 0; }`);
  });

  test("shows without animation what the animation ends with: from the refusal to what the agent reads", () => {
    const last = Array.from(animated.matchAll(/translateY\((-?\d+)px\); \} \}$/gm), ([, offset]) => Number(offset)).at(
      -1,
    );
    const [, offset = ""] = /class="scroll" transform="translate\(0 (-?\d+)\)"/.exec(demo) ?? [];
    expect(Number(offset)).toBe(last);
    // Only the cursor and what hides a command that is not typed yet.
    expect(demo.match(/ opacity="0"/g)?.length).toBe(demo.match(/<g class="c\d+" opacity="0">/g)?.length);
    const [, height = ""] = /viewBox="0 0 \d+ (\d+)"/.exec(demo) ?? [];
    const shown = Array.from(demo.matchAll(/<text x="16" y="(\d+)" fill="[^"]*">(.*)<\/text>/g))
      .filter(([, y]) => Number(y) + Number(offset) > 16 && Number(y) + Number(offset) < Number(height) - 16)
      .map(([, , text = ""]) => text.replaceAll(/<[^>]*>/g, ""));
    expect(shown[0]).toBe("$ sophia-run -- node app.js");
    expect(shown.slice(1).join("\n")).toMatch(
      /the contract is not met[^]*correct it in \.env, line 2[^]*exit status 78[^]*port 8080[^]*DATABASE_URL=\*{3}\n/,
    );
  });
});

describe("the drawing of a terminal", () => {
  const draw = (...moments: readonly Moment[]): string =>
    drawTerminal({ moments, lastFrom: 0, title: "t", description: "d" });
  const line = (text: string, kind: "command" | "output" = "output"): Moment => ({
    lines: [{ text, kind }],
    seconds: 1,
  });

  test("has the colours of its text, and characters of XML as text", () => {
    const drawn = draw(line("\u001B[31ma <b> & c\u001B[39m"));
    expect(drawn).toContain('<tspan fill="#f7768e">a &lt;b&gt; &amp; c</tspan>');
  });

  test("types a command character by character, which then stays", () => {
    const drawn = draw(line("$ abcd", "command"), line("out"));
    // Four characters at 40 in a second, then a second, then another.
    expect(drawn).toContain("@keyframes t0 { 0%, 0% { transform: none; animation-timing-function: steps(4, end); }");
    expect(drawn).toContain("@keyframes c0 { 0% { opacity: 1; } 4.76% { opacity: 0; } }");
    expect(drawn).toContain("@keyframes m1 { 0% { opacity: 0; } 52.38% { opacity: 1; } }");
  });

  test.each([
    ["a line that would be cut off", "x".repeat(83), "wider than the picture"],
    ["an attribute of text that it does not know", "\u001B[7mx\u001B[27m", "SGR 7"],
  ])("refuses %s", (_, text, message) => {
    expect(() => draw(line(text))).toThrow(message);
  });
});
