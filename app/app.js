'use strict';
// A web server that says which host answered: in a cluster, the host is the Pod.
// HOST and PORT say where it listens (default: all addresses, 8080). No npm packages, Node 18 or newer.

const http = require('node:http');
const os = require('node:os');

const hostname = process.env.HOSTNAME || os.hostname();
const host = process.env.HOST || undefined; // undefined: every address, IPv6 and IPv4
const port = Number(process.env.PORT || 8080);
const GRACE_MS = 800; // for requests under way when told to stop; the whole stop takes less than a second

if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`PORT is "${process.env.PORT}": give a whole number from 0 to 65535.`);
  process.exit(1);
}

let stopping = false;

function handle(request, response) {
  const probe = request.url === '/healthz';
  // A probe asks every few seconds and would drown the requests the log is read for.
  if (!probe) console.log(`Received request from ${request.socket.remoteAddress}`);
  const body = probe ? 'ok\n' : `You've hit ${hostname}\n`;
  if (stopping) response.setHeader('Connection', 'close');
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

// A kernel gives process 1 of a container no default for SIGTERM: without this, every stop of a Pod
// would last the full 30 seconds until SIGKILL.
function stop(signal) {
  if (stopping) return;
  stopping = true;
  server.close(); // no new connections; Node exits by itself, with 0, once the last one has ended
  server.closeIdleConnections();
  console.log(`${signal}: ${hostname} server stopping ...`);
  setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
}

const server = http.createServer(handle);
server.on('error', (error) => {
  console.error(`Cannot listen on ${host || '*'}:${port}: ${error.message}. Choose others with HOST and PORT.`);
  process.exit(1);
});
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

console.log(`${hostname} server starting ...`);
server.listen(port, host, () => {
  const { address, family, port: bound } = server.address();
  console.log(`listening on ${family === 'IPv6' ? `[${address}]` : address}:${bound}`);
});
