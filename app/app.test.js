'use strict';
// node --test app/app.test.js

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const APP = path.join(__dirname, 'app.js');

/** Starts the app and waits until it listens; the test's end kills what is left of it. */
async function start(t, env = {}) {
  const child = spawn(process.execPath, [APP], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', HOSTNAME: 'test-host', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const app = { child, log: '', errors: '', exited: once(child, 'exit') };
  child.stderr.on('data', (chunk) => { app.errors += chunk; });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      app.log += chunk;
      const found = app.log.match(/^listening on (.+):(\d+)$/m);
      if (!found) return;
      [, app.host] = found;
      app.port = Number(found[2]);
      resolve();
    });
    app.exited.then(() => reject(new Error(`the app ended: ${app.errors}`)));
  });
  return app;
}

/** Resolves when the log holds the text. */
async function logged(app, text) {
  while (!app.log.includes(text)) await once(app.child.stdout, 'data');
}

async function get(app, url = '/', options = {}) {
  const request = http.get({ host: '127.0.0.1', port: app.port, path: url, ...options });
  const [response] = await once(request, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body, socket: request.socket };
}

/** Opens a connection and sends the text; `all` resolves to everything answered until the end. */
async function connect(app, text) {
  const socket = net.connect(app.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  const connection = { socket, got: '' };
  socket.on('data', (chunk) => { connection.got += chunk; });
  socket.on('error', () => {});
  connection.all = once(socket, 'close').then(() => connection.got);
  return connection;
}

test('it says that it starts and where it listens, in this order', async (t) => {
  const app = await start(t);
  assert.equal(app.log, `test-host server starting ...\nlistening on 127.0.0.1:${app.port}\n`);
});

test('it answers 200 with its host name and logs who asked', async (t) => {
  const app = await start(t);
  const { status, headers, body } = await get(app);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(body, "You've hit test-host\n");
  await logged(app, 'Received request from 127.0.0.1\n');
});

test('every path and method has the same answer', async (t) => {
  const app = await start(t);
  assert.equal((await get(app, '/a/b?c=d')).body, "You've hit test-host\n");
  assert.equal((await get(app, '/', { method: 'POST' })).body, "You've hit test-host\n");
  const head = await get(app, '/', { method: 'HEAD' });
  assert.equal(head.body, '');
  assert.equal(head.headers['content-length'], '21');
});

test('/healthz answers probes and stays out of the log', async (t) => {
  const app = await start(t);
  const { status, body } = await get(app, '/healthz');
  assert.deepEqual([status, body], [200, 'ok\n']);
  await get(app); // its line is logged after where the probe's would be
  await logged(app, 'Received');
  assert.equal(app.log.match(/Received/g).length, 1);
});

test('without HOSTNAME it takes the name of the machine', async (t) => {
  const app = await start(t, { HOSTNAME: '' });
  assert.equal((await get(app)).body, `You've hit ${os.hostname()}\n`);
});

test('without HOST it listens on all addresses', async (t) => {
  const app = await start(t, { HOST: '' });
  assert.match(app.host, /^(\[::\]|0\.0\.0\.0)$/);
  assert.equal((await get(app)).status, 200);
});

test('a connection is kept for the next request', async (t) => {
  const app = await start(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const first = await get(app, '/', { agent });
  const second = await get(app, '/', { agent });
  assert.equal(second.socket, first.socket);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends it with status 0 within a second, idle connections and all`, async (t) => {
    const app = await start(t);
    const used = await connect(app, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const fresh = await connect(app, '');
    await logged(app, 'Received');
    const asked = Date.now();
    app.child.kill(signal);
    app.child.kill(signal); // twice is not worse than once
    assert.deepEqual(await app.exited, [0, null]);
    assert.ok(Date.now() - asked < 1000);
    assert.match(await used.all, /^HTTP\/1\.1 200 OK/);
    await fresh.all;
  });
}

test('after SIGTERM it takes no new connection, but finishes a request under way', async (t) => {
  const app = await start(t);
  const slow = await connect(app, 'GET / HTTP/1.1\r\nHost: x\r\n');
  await get(app); // when this is answered, the half request has arrived too
  app.child.kill('SIGTERM');
  await logged(app, 'SIGTERM: test-host server stopping ...');
  const [refused] = await once(net.connect(app.port, '127.0.0.1'), 'error');
  assert.equal(refused.code, 'ECONNREFUSED');
  slow.socket.write('\r\n');
  const answer = await slow.all;
  assert.match(answer, /You've hit test-host\n$/);
  assert.match(answer, /^Connection: close\r$/m);
  assert.deepEqual(await app.exited, [0, null]);
});

test('with DRAIN_MS it goes on taking new connections after SIGTERM, and then ends', async (t) => {
  const app = await start(t, { DRAIN_MS: '300' });
  app.child.kill('SIGTERM');
  await logged(app, 'SIGTERM: test-host server stopping ...');
  const { status, headers } = await get(app);
  assert.equal(status, 200);
  assert.equal(headers.connection, 'close');
  assert.deepEqual(await app.exited, [0, null]);
});

test('with STARTUP_MS it does not listen before, and SIGTERM ends it then, too', async (t) => {
  const child = spawn(process.execPath, [APP], {
    env: { PATH: process.env.PATH, PORT: '0', STARTUP_MS: '600000', DRAIN_MS: '600000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  child.stdout.on('data', (chunk) => { log += chunk; });
  while (!log.includes('server starting ...')) await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.doesNotMatch(log, /listening/);
});

test('a request that never ends does not hold it up', async (t) => {
  const app = await start(t);
  const stuck = await connect(app, 'GET / HTTP/1.1\r\n');
  await get(app);
  const asked = Date.now();
  app.child.kill('SIGTERM');
  assert.deepEqual(await app.exited, [0, null]);
  assert.ok(Date.now() - asked < 1000);
  await stuck.all;
});

for (const [name, value] of [['text', 'http'], ['too large', '65536'], ['negative', '-1'], ['a fraction', '80.5']]) {
  test(`a PORT that is ${name} is refused with the rule`, async (t) => {
    await assert.rejects(start(t, { PORT: value }), /PORT is ".+": give a whole number from 0 to 65535/);
  });
}

test('a busy port is an error that says what to change', async (t) => {
  const app = await start(t);
  await assert.rejects(start(t, { PORT: String(app.port) }), /EADDRINUSE.*HOST and PORT/s);
});
