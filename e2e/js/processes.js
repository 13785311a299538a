// Starts what the tests talk to: a one-sequencer node (`--chain dev --alice`) and,
// for relay transactions, a real litecoind in regtest. Everything listens on
// loopback, lives in a temporary folder and ends with the test.

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 60_000;
const LITECOIND = '/usr/lib/litecoin/litecoind';

const RELEASE = join(process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/cascoin-l2/target'), 'release');

/** The node's binary: CASCOIN_L2_BIN, or where cargo puts it. */
export function nodeBinary() {
  const path = process.env.CASCOIN_L2_BIN ?? join(RELEASE, 'cascoin-l2');
  if (!existsSync(path)) {
    throw new Error(`no node at ${path}: run scripts/demo --build-only, or set CASCOIN_L2_BIN`);
  }
  return path;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A process that should run has ended. */
class Ended extends Error {}

/** Polls until `probe` gives something; its errors count as "not yet". */
export async function until(what, probe) {
  const start = Date.now();
  let last = 'nothing yet';
  while (Date.now() - start < PATIENCE_MS) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      if (error instanceof Ended || error.code === 'ERR_ASSERTION') throw error;
      last = error.message;
    }
    await sleep(100);
  }
  throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s (last: ${last})`);
}

/** A JSON-RPC call over HTTP. */
export async function call(port, method, params = [], credentials = undefined) {
  const headers = { 'content-type': 'application/json' };
  if (credentials) headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

function start(program, args, folder, name) {
  const log = join(folder, `${name}.log`);
  const output = openSync(log, 'a');
  // A sequencer's key is locked in the machine's temporary folder; with one of its
  // own, a test runs beside other networks of the same preset.
  // The compiled runtime is shared with the other end-to-end tests.
  const env = { CASCOIN_L2_WASM_CACHE: join(RELEASE, 'e2e-wasm-cache'), ...process.env, TMPDIR: folder };
  const child = spawn(program, args, { stdio: ['ignore', output, output], env });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  // A test run that dies takes its children along.
  const reap = () => child.kill('SIGKILL');
  process.on('exit', reap);
  return {
    expectRunning() {
      if (child.exitCode !== null) {
        const tail = readFileSync(log, 'utf8').split('\n').slice(-30).join('\n');
        throw new Ended(`${name} ended (${child.exitCode}):\n${tail}`);
      }
    },
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      const timer = setTimeout(reap, 20_000);
      await ended;
      clearTimeout(timer);
      process.off('exit', reap);
    },
  };
}

/** A fresh litecoind with a wallet and spendable coins. */
export async function startLitecoind() {
  const folder = mkdtempSync(join(tmpdir(), 'cascoin-js-l1-'));
  const port = await freePort();
  const credentials = 'js:js';
  // MWEB off: its activation stops mining at height 432. Few keys ready: making the usual
  // thousand takes a second and a half.
  writeFileSync(
    join(folder, 'litecoin.conf'),
    `regtest=1
server=1
txindex=1
fallbackfee=0.0002
keypool=10
[regtest]
listen=0
dnsseed=0
rpcbind=127.0.0.1
rpcallowip=127.0.0.1
rpcport=${port}
rpcuser=js
rpcpassword=js
vbparams=mweb:9223372036854775806:9223372036854775807
`,
  );
  const child = start(LITECOIND, [`-datadir=${folder}`], folder, 'litecoind');
  const rpc = (method, params = []) => call(port, method, params, credentials);
  await until('litecoind answers', () => {
    child.expectRunning();
    return rpc('getblockchaininfo');
  });
  await rpc('createwallet', ['w']);
  const address = await rpc('getnewaddress');
  await rpc('generatetoaddress', [110, address]);
  return {
    url: `http://127.0.0.1:${port}`,
    credentials,
    rpc,
    mine: (blocks) => rpc('generatetoaddress', [blocks, address]),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A chain specification as the node prints it: a preset or a file, plain or raw. */
export function chainSpec(chain, ...flags) {
  const args = ['build-spec', '--chain', chain, '--disable-default-bootnode', ...flags];
  return JSON.parse(execFileSync(nodeBinary(), args, { maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore'] }));
}

/**
 * A one-sequencer development node, over `l1` if one is given. `chain` is a preset or
 * a file; it listens for libp2p over WebSocket, so that light clients reach it.
 */
export async function startNode(l1 = undefined, chain = 'dev') {
  const folder = mkdtempSync(join(tmpdir(), 'cascoin-js-l2-'));
  const [port, p2p, front, prometheus] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const args = [
    '--chain', chain, '--alice', '--base-path', join(folder, 'data'),
    '--rpc-port', `${port}`, '--listen-addr', `/ip4/127.0.0.1/tcp/${p2p}/ws`,
    '--json-rpc-1-port', `${front}`, '--prometheus-port', `${prometheus}`,
    '--node-key', randomBytes(32).toString('hex'), '--rpc-methods', 'unsafe', '--no-mdns', '--no-telemetry',
  ];
  if (l1) {
    const auth = join(folder, 'l1-auth');
    writeFileSync(auth, l1.credentials);
    args.push('--l1-rpc-url', l1.url, '--l1-rpc-auth-file', auth, '--l1-wallet', 'w');
  }
  const child = start(nodeBinary(), args, folder, 'cascoin-l2');
  await until('the node answers', () => {
    child.expectRunning();
    return call(port, 'system_health');
  });
  return {
    url: `ws://127.0.0.1:${port}`,
    address: `/ip4/127.0.0.1/tcp/${p2p}/ws/p2p/${await call(port, 'system_localPeerId')}`,
    rpc: (method, params = []) => call(port, method, params),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
