FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev
# The executable of sophia-run for Linux, which needs no Node.js. A package that was packed without it is started by Node.js.
RUN cp "node_modules/sophia-run/dist/sophia-run-linux-$(node -p process.arch)" /usr/local/bin/sophia-run || \
    { printf '#!/nodejs/bin/node --\nrequire("/app/node_modules/sophia-run/bin/sophia-run.cjs");\n' > /usr/local/bin/sophia-run && \
    chmod 755 /usr/local/bin/sophia-run; }
COPY . .

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build /usr/local/bin/sophia-run /usr/local/bin/sophia-run
COPY --from=build /app /app

# The program is PID 1: it must handle SIGTERM, and reap what it starts. ENV SOPHIA_MODE=spawn leaves both to sophia-run.
HEALTHCHECK --start-period=10s CMD ["/nodejs/bin/node", "healthcheck.js"]
# The executable needs no shell and no env(1), which commands in node_modules/.bin need.
ENTRYPOINT ["/usr/local/bin/sophia-run", "--"]
CMD ["/nodejs/bin/node", "server.js"]
