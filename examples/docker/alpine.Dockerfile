FROM node:24-alpine
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev
ENV PATH=/app/node_modules/.bin:$PATH

COPY . .
USER node

# sophia-run stays PID 1: it forwards signals and reaps orphans. Remove this if the program does both.
ENV SOPHIA_MODE=spawn
HEALTHCHECK --start-period=10s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/"]
ENTRYPOINT ["sophia-run", "--"]
CMD ["node", "server.js"]
