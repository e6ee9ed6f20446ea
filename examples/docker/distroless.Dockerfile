FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev
COPY . .

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build /app /app

# The image has no shell and no env(1), which commands in node_modules/.bin need. The first `--` ends the options of
# Node.js, which also reads some after the script's name.
HEALTHCHECK --start-period=10s CMD ["/nodejs/bin/node", "healthcheck.js"]
ENTRYPOINT ["/nodejs/bin/node", "--", "node_modules/sophia-run/bin/sophia-run.cjs", "--"]
CMD ["/nodejs/bin/node", "server.js"]
