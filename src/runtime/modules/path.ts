export const sep = "/"; export const delimiter = ":";
const norm = (p: string) => { const abs = p.startsWith("/"); const o: string[] = []; for (const n of p.split("/")) { if (n === "" || n === ".") continue; if (n === "..") { if (o.length > 0 && o.at(-1) !== "..") o.pop(); else if (!abs) o.push(n); } else o.push(n); } return (abs ? "/" : "") + o.join("/") || (abs ? "/" : "."); };
export const isAbsolute = (p: string) => p.startsWith("/");
export const join = (...p: string[]) => norm(p.filter((x) => x !== "").join("/"));
export const resolve = (...p: string[]) => { let r = ""; for (const x of p) { if (x === "") continue; r = x.startsWith("/") ? x : `${r}/${x}`; } return norm(r.startsWith("/") ? r : `${(globalThis as any).process.cwd()}/${r}`); };
export const dirname = (p: string) => { const i = p.replace(/\/+$/, "").lastIndexOf("/"); return i < 0 ? "." : i === 0 ? "/" : p.slice(0, i); };
export const basename = (p: string) => p.replace(/\/+$/, "").split("/").at(-1) ?? "";
export const relative = (a: string, b: string) => { const f = resolve(a).split("/").filter(Boolean), t = resolve(b).split("/").filter(Boolean); let i = 0; while (i < f.length && f[i] === t[i]) i++; return [...f.slice(i).map(() => ".."), ...t.slice(i)].join("/"); };
export const normalize = norm;
