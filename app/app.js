'use strict';
// A web server that says which host answered: in a cluster, the host is the Pod.
// HOST and PORT say where it listens (default: all addresses, 8080). No npm packages, Node 18 or newer.
// STARTUP_MS: for so long it only starts up, and does not listen. DRAIN_MS: for so long it goes on taking new connections
// after SIGTERM, until every node has heard that they go elsewhere. Both are 0 by default.

const http = require('node:http');
const os = require('node:os');

const hostname = process.env.HOSTNAME || os.hostname();
const host = process.env.HOST || undefined; // undefined: every address, IPv6 and IPv4
const port = number('PORT', 8080, 65535);
const startupMs = number('STARTUP_MS', 0, 600_000);
const drainMs = number('DRAIN_MS', 0, 600_000);
const GRACE_MS = 800; // for requests under way when told to stop; the whole stop takes less than a second

function number(name, standard, most) {
  const value = Number(process.env[name] || standard);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  console.error(`${name} is "${process.env[name]}": give a whole number from 0 to ${most}.`);
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
  clearTimeout(starting);
  if (drainMs > 0 && server.listening) setTimeout(close, drainMs);
  else close();
  console.log(`${signal}: ${hostname} server stopping ...`);
}

function close() {
  server.close(); // no new connections; Node exits by itself, with 0, once the last one has ended
  server.closeIdleConnections();
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
const starting = setTimeout(() => {
  server.listen(port, host, () => {
    const { address, family, port: bound } = server.address();
    console.log(`listening on ${family === 'IPv6' ? `[${address}]` : address}:${bound}`);
  });
}, startupMs);
