const { A, B: renamed = 1 } = process.env;
export const url = process.env['URL_' + A] ?? process.env.URL;
`${process.env.T}`;
