import type { Results } from "./document.ts";

const width = 760;
const left = 240;
const bar = 18;

/** Returns docs/measurements/benchmark.svg: processor times of starts as multiples of a bare Node.js, quartiles as lines. */
export function chart({ nodes }: Results): string {
  const groups = nodes.map(({ version, start }) => ({
    version,
    rows: start.toSorted((a, b) => a.cpuRatio.median - b.cpuRatio.median),
  }));
  const largest = Math.max(...groups.flatMap(({ rows }) => rows.map(({ cpuRatio }) => cpuRatio.high)));
  const scale = (value: number): number => (value / largest) * (width - left - 70);
  let y = 10;
  const parts: string[] = [];
  for (const { version, rows } of groups) {
    y += 22;
    parts.push(`<text x="10" y="${y}" font-weight="bold">Node.js ${version}</text>`);
    for (const { name, cpuRatio } of rows) {
      y += bar + 4;
      const label = name.replaceAll("`", "");
      const colour = label.startsWith("sophia-run") || label.startsWith("stand-alone") ? "#2f6f4f" : "#9aa5b1";
      parts.push(
        `<text x="${left - 8}" y="${y}" text-anchor="end">${escape(label)}</text>`,
        `<rect x="${left}" y="${y - 13}" width="${scale(cpuRatio.median).toFixed(1)}" height="${bar - 2}" fill="${colour}"/>`,
        `<line x1="${(left + scale(cpuRatio.low)).toFixed(1)}" x2="${(left + scale(cpuRatio.high)).toFixed(1)}" y1="${y - 5}" y2="${y - 5}" stroke="#222"/>`,
        `<text x="${(left + scale(cpuRatio.high) + 6).toFixed(1)}" y="${y}">${cpuRatio.median.toFixed(2)}×</text>`,
      );
    }
    y += 12;
  }
  const height = y + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Processor time of a start, as multiples of a bare Node.js</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
