// Prints how many of 200 waiting connections were accepted before the bytes of an earlier connection were read.
const { writeSync } = require("node:fs");
const net = require("node:net");

let accepted = 0;
const server = net.createServer((socket) => {
  accepted += 1;
  if (accepted > 1) return;
  socket.on("data", () => {
    writeSync(1, String(accepted - 1));
    process.exit();
  });
  const { port } = server.address();
  for (let count = 0; count < 200; count += 1) net.connect(port, "127.0.0.1");
  first.write("x");
});
let first;
server.listen(0, "127.0.0.1", () => {
  first = net.connect(server.address().port, "127.0.0.1");
});
